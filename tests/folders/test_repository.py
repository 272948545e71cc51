"""A commit and its patch give the code back, by real git, in repositories of every condition."""

import os
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from cnnsweep.folders import repository
from cnnsweep.folders.repository import is_tracked, state_of

IDENTITY = ("-c", "user.name=a", "-c", "user.email=a@b.c")


def git(folder: Path, *arguments: str) -> str:
    done = subprocess.run(
        ["git", *IDENTITY, *arguments], cwd=folder, capture_output=True, check=True
    )
    return done.stdout.decode().strip()


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    """A repository with one commit, in whose subfolder commands run."""
    place = tmp_path / "repo"
    (place / "pkg").mkdir(parents=True)
    git(place, "init", "-q")
    (place / "pkg" / "net.py").write_text("a = 1\nb = 2\n")
    (place / "data.bin").write_bytes(bytes(range(256)))
    (place / ".gitignore").write_text("ignored/\n")
    git(place, "add", ".")
    git(place, "commit", "-qm", "first")
    return place


def contents(folder: Path) -> dict[str, tuple[bytes, bool]]:
    names = git(folder, "ls-files", "-z", "--cached", "--others", "--exclude-standard").split("\0")
    paths = [folder / name for name in {*names} - {""}]
    return {
        str(path.relative_to(folder)): (
            os.fsencode(path.readlink()) if path.is_symlink() else path.read_bytes(),
            os.access(path, os.X_OK),
        )
        for path in paths
        if path.is_symlink() or path.exists()
    }


def write(place: Path, name: str, text: str) -> None:
    (place / name).parent.mkdir(parents=True, exist_ok=True)
    (place / name).write_text(text)


def executable(place: Path) -> None:
    write(place, "run.sh", "#!/bin/sh\n")
    (place / "run.sh").chmod(0o755)


def staged(place: Path) -> None:
    write(place, "staged.py", "1\n")
    git(place, "add", "staged.py")
    write(place, "staged.py", "2\n")


CHANGES: dict[str, Callable[[Path], object]] = {
    "a line": lambda place: write(place, "pkg/net.py", "a = 1\nb = 3\n"),
    "no last newline": lambda place: write(place, "pkg/net.py", "a = 1"),
    "line ends": lambda place: (place / "pkg/net.py").write_bytes(b"a = 1\r\nb = 2\r\n"),
    "binary": lambda place: (place / "data.bin").write_bytes(bytes(range(255, -1, -1))),
    "removed": lambda place: (place / "pkg" / "net.py").unlink(),
    "renamed": lambda place: (place / "pkg/net.py").rename(place / "pkg/other.py"),
    "never added": lambda place: write(place, "new.py", "c = 3\n"),
    "in a new folder": lambda place: write(place, "a/b/new.py", "c = 3"),
    "odd name": lambda place: write(place, 'we ird "é"\t.py', "c = 3\n"),
    "empty": lambda place: write(place, "empty.py", ""),
    "executable": executable,
    "link": lambda place: (place / "link").symlink_to("pkg/net.py"),
    "staged and changed": staged,
    "Python's text": lambda place: write(place, "x.py", 'url = "http://host/"\n+ - ~ @@\n'),
}


@pytest.mark.parametrize("change", CHANGES)
def test_the_patch_takes_the_commit_to_the_code(repo: Path, tmp_path: Path, change: str) -> None:
    head = git(repo, "rev-parse", "HEAD")
    assert state_of(repo / "pkg") == (repo, head, b"")
    before = git(repo, "status", "--porcelain")
    CHANGES[change](repo)
    after = git(repo, "status", "--porcelain")
    assert after != before
    state = state_of(repo if change == "removed" else repo / "pkg")
    assert state is not None
    assert state.commit == f"{head}-dirty"
    assert git(repo, "status", "--porcelain") == after  # git's own records are left alone
    (tmp_path / "code.patch").write_bytes(state.patch)
    git(tmp_path, "clone", "-q", str(repo), "again")
    git(tmp_path / "again", "apply", str(tmp_path / "code.patch"))
    assert contents(tmp_path / "again") == contents(repo)


@pytest.mark.parametrize("name", ["points.yaml", "my_conf/search/mine.yml", "P.CSV", "notes.md"])
def test_what_a_person_keeps_beside_the_code_is_no_change(repo: Path, name: str) -> None:
    before = state_of(repo)
    write(repo, name, "lr: 0.1\n")
    assert state_of(repo) == before
    write(repo, "my_net.py", "class Net: pass\n")  # code of their own is
    after = state_of(repo)
    assert after is not None
    assert after.commit.endswith("-dirty")
    write(repo, "my_net.py", "class Net: x = 1\n")
    assert after != state_of(repo)


@pytest.mark.parametrize(
    "name",
    ["ignored/x.py", "outputs/a/.hydra/config.yaml", "m/multirun.yaml", "m/0/x.py", "a/.lock",
     "pkg/__pycache__/net.pyc", "report/runs.csv"],
)  # fmt: skip
def test_what_git_ignores_and_what_runs_leave_is_no_change(repo: Path, name: str) -> None:
    write(repo, "m/multirun.yaml", "")
    write(repo, name, "x")
    state = state_of(repo)
    assert state is not None
    assert not state.commit.endswith("-dirty")


@pytest.mark.parametrize("name", [".env", "my.pem", "id_rsa", "credentials.py", "secret.py"])
def test_what_may_be_secret_counts_but_is_not_copied(repo: Path, name: str) -> None:
    write(repo, name, "hush")
    state = state_of(repo)
    assert state is not None
    assert state.commit.endswith("-dirty")
    assert b"hush" not in state.patch
    assert f"# left out: {name} (may hold a secret)\n".encode() in state.patch


def test_passwords_in_urls_are_masked_where_they_were_added(repo: Path, tmp_path: Path) -> None:
    write(repo, "x.py", 'url = "postgresql://me:pw@host/db"\n')
    state = state_of(repo)
    assert state is not None
    assert b"pw" not in state.patch
    (tmp_path / "code.patch").write_bytes(state.patch)
    git(tmp_path, "clone", "-q", str(repo), "again")
    git(tmp_path / "again", "apply", str(tmp_path / "code.patch"))
    assert "me:***@host" in (tmp_path / "again" / "x.py").read_text()


def test_large_files_and_those_without_text_are_named_only(repo: Path) -> None:
    (repo / "big.txt").write_bytes(b"x" * (repository.LARGEST_FILE + 1))
    (repo / "pic.dat").write_bytes(b"\0\1")
    state = state_of(repo)
    assert state is not None
    assert state.commit.endswith("-dirty")
    assert b"left out: big.txt" in state.patch
    assert b"left out: pic.dat (not text)" in state.patch
    assert len(state.patch) < 1000


def test_a_folder_with_thousands_of_files_takes_no_long_time(repo: Path) -> None:
    (repo / "many").mkdir()
    for number in range(5000):
        (repo / "many" / f"{number}.dat").write_bytes(b"\0")
    begun = time.monotonic()
    state = state_of(repo)
    assert time.monotonic() - begun < 3 * repository.SECONDS
    assert state is not None
    assert b"and 4980 more files" in state.patch


def test_where_there_is_no_commit_there_is_no_state(tmp_path: Path) -> None:
    assert state_of(tmp_path) is None
    git(tmp_path, "init", "-q", "unborn")
    assert state_of(tmp_path / "unborn") is None
    git(tmp_path, "init", "-q", "--bare", "bare")
    assert state_of(tmp_path / "bare") is None


def test_without_git_nothing_is_known(repo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    assert state_of(repo) is None
    assert not is_tracked(repo / "pkg" / "net.py")


def test_a_file_that_lies_in_a_repository_by_chance_is_not_tracked(repo: Path) -> None:
    write(repo, "ignored/lib.py", "")
    assert is_tracked(repo / "pkg" / "net.py")
    assert not is_tracked(repo / "ignored" / "lib.py")


def test_gits_own_environment_leads_nowhere_else(
    repo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in a hook, where git sets them for its own repository."""
    git(tmp_path, "init", "-q", "other")
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "other" / ".git"))
    state = state_of(repo)
    assert state is not None
    assert state.top == repo
