"""What a run's figures depend on, looked up once in a process."""

import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

from cnnsweep.folders import provenance
from cnnsweep.folders.provenance import code, hardware, now, versions

SCRIPT = (
    "import sys; sys.path[:0] = [sys.argv[1]]\n"
    "from cnnsweep.folders.provenance import code\n"
    "print(*code()[:2], len(code().patch), len(code().patch_of_folder))"
)


def test_versions_are_those_of_all_libraries_that_figures_depend_on() -> None:
    for name in ("torch", "numpy", "hydra-core", "omegaconf", "optuna", "pillow", "scikit-learn"):
        assert versions()[name] == version(name)
    assert {"python", "cnnsweep"} <= versions().keys()


def test_the_machine_has_a_name_and_cores() -> None:
    assert hardware()["cpu"]
    assert hardware()["cores"] >= 1


def test_times_are_of_the_whole_world_and_sort() -> None:
    assert len(now()) == len("2026-01-31T23:59:59Z")
    assert now() <= now()


def make_repository(folder: Path, name: str) -> str:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).touch()
    author = ("-c", "user.name=a", "-c", "user.email=a@b.c")
    for arguments in (("init", "-q"), ("add", name), (*author, "commit", "-qm", "first")):
        subprocess.run(["git", *arguments], cwd=folder, check=True)
    head = subprocess.run(
        ["git", "rev-parse", "HEAD"], cwd=folder, check=True, capture_output=True, text=True
    )
    return head.stdout.strip()


def seen(package: Path, folder: Path) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(package)],
        cwd=folder,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.split()


def test_a_strangers_repository_around_an_installed_package_is_not_its_code(
    tmp_path: Path,
) -> None:
    """As in a virtual environment that somebody keeps in a clone."""
    head = make_repository(tmp_path, "theirs.py")
    (tmp_path / ".gitignore").write_text(".venv/\n")
    own = Path(provenance.__file__).parent.parent
    (tmp_path / ".venv" / "site").mkdir(parents=True)
    subprocess.run(["cp", "-r", str(own), str(tmp_path / ".venv" / "site")], check=True)
    commit, of_folder, own_patch, their_patch = seen(tmp_path / ".venv" / "site", tmp_path)
    assert commit == "None"
    assert of_folder == f"{head}-dirty"  # its .gitignore was never added
    assert own_patch == "0"
    assert int(their_patch) > 0


def test_inside_its_own_checkout_there_is_one_commit(tmp_path: Path) -> None:
    own = Path(provenance.__file__).parent.parent
    subprocess.run(["cp", "-r", str(own), str(tmp_path)], check=True)
    head = make_repository(tmp_path, "cnnsweep/__init__.py")
    commit, of_folder, *_ = seen(tmp_path, tmp_path / "cnnsweep")
    assert commit == f"{head}-dirty"
    assert of_folder == "None"


def test_git_is_asked_once(monkeypatch: pytest.MonkeyPatch) -> None:
    before = code()
    monkeypatch.setenv("PATH", "")
    assert code() is before
