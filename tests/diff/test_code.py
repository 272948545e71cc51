"""The code of two runs: commits of a real repository, and patches."""

import subprocess
from pathlib import Path

from tests.diff.compared import compared
from tests.diff.test_runs import edit
from tests.report.made_runs import Job, make_run


def committed(repository: Path, content: str) -> str:
    """Write a file and commit it; the commit."""
    (repository / "file.txt").write_text(content)
    own = ["-c", "user.name=a", "-c", "user.email=a@b", "-c", "commit.gpgsign=false"]
    for words in (["add", "."], [*own, "commit", "-q", "-m", content.strip()]):
        subprocess.run(["git", *words], cwd=repository, check=True)
    said = subprocess.run(
        ["git", "rev-parse", "HEAD"], cwd=repository, check=True, capture_output=True, text=True
    )
    return said.stdout.strip()


def test_commits_that_git_knows_are_counted(tmp_path: Path) -> None:
    repository = tmp_path / "repository"
    repository.mkdir()
    subprocess.run(["git", "init", "-q"], cwd=repository, check=True)
    first, *_, last = (committed(repository, f"{number}\n") for number in range(4))
    a = edit(make_run(tmp_path / "a", Job()), commit=first)
    b = edit(make_run(tmp_path / "b", Job()), commit=f"{last}-dirty", changes="1234")
    found = compared(a, b, cwd=repository)["code"]
    assert found["same"] is False
    (between,) = found["between"]
    assert (between["of"], between["only_a"], between["only_b"]) == ("commit", 0, 3)
    assert any("file.txt" in line for line in between["files"])
    assert compared(b, a, cwd=repository)["code"]["between"][0]["only_a"] == 3
    assert compared(a, b, cwd=tmp_path)["code"]["between"] == []  # no repository there


def test_an_unknown_commit_or_an_option_is_not_asked_for(tmp_path: Path) -> None:
    repository = tmp_path / "repository"
    repository.mkdir()
    subprocess.run(["git", "init", "-q"], cwd=repository, check=True)
    known = committed(repository, "0\n")
    a = edit(make_run(tmp_path / "a", Job()), commit=known)
    for number, commit in enumerate(("0" * 40, "--output=stolen", "HEAD", "", 7)):
        b = edit(make_run(tmp_path / f"b{number}", Job()), commit=commit)
        found = compared(a, b, cwd=repository)["code"]
        assert (found["same"], found["between"]) == (False, [])
    assert not list(tmp_path.rglob("*stolen"))


def test_kept_patches_are_compared_line_by_line(tmp_path: Path) -> None:
    runs = [
        edit(make_run(tmp_path / name, Job()), commit="abcdef0-dirty", changes=name)
        for name in ("a", "b", "long")
    ]
    patches = ("+one\n+two\n", "+one\n+three\n", "".join(f"+{n}\n" for n in range(300)))
    for run, patch in zip(runs, patches, strict=True):
        (run / "code.patch").write_text(patch)
    (patch_of_b,) = compared(runs[0], runs[1])["code"]["patches"]
    assert patch_of_b["file"] == "code.patch"
    assert patch_of_b["lines_left_out"] == 0
    assert patch_of_b["lines"][-3:] == [" +one", "-+two", "++three"]
    (long,) = compared(runs[0], runs[2])["code"]["patches"]
    assert long["lines_left_out"] > 200
    assert compared(runs[0], runs[0])["code"] | {"recorded": []} == {
        "same": True, "recorded": [], "between": [], "patches": [],
    }  # fmt: skip


def test_changes_that_were_not_kept_leave_it_open(tmp_path: Path) -> None:
    a, b = (edit(make_run(tmp_path / n, Job()), commit="abcdef0-dirty") for n in ("a", "b"))
    assert compared(a, b)["code"]["same"] is None
