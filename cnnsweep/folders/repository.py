"""A folder's git repository: its commit, and what was changed since then.

Without git, outside a repository, or where git refuses or takes too long, less is known, and
nothing fails. The repository itself is not written to.
"""

import os
import re
import shutil
import subprocess
from collections.abc import Iterable, Iterator
from fnmatch import fnmatch
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from cnnsweep.folders.lock import LOCK_NAME
from cnnsweep.folders.run_folder import CONFIG, HYDRA, RESULT
from cnnsweep.folders.sweep_folder import RUNS_TABLE, SWEEP_MARKS
from cnnsweep.redact import masked

SECONDS = 5.0  # after which git is not waited for any longer
LARGEST_FILE, LARGEST_PATCH = 256 * 1024, 4 * 1024**2  # bytes
_MOST_FILES, _NAMED = 2000, 20
_LOOKED_AT = 8000  # bytes, as git does to tell text from anything else
_SECRETS = (
    ".env*", "*.pem", "*.key", "*.token", "token.txt", "id_rsa*", "id_ed25519*", ".netrc",
    ".pgpass", ".pypirc", "*credential*", "*secret*",
)  # fmt: skip
_PLAIN_DIFF = (
    "--binary", "--full-index", "--no-color", "--no-ext-diff", "--no-textconv", "--no-renames",
    "--ignore-submodules=dirty", "--src-prefix=a/", "--dst-prefix=b/",
)  # fmt: skip
_NO_CODE = (".yaml", ".yml", ".csv", ".json", ".jsonl", ".md", ".html", ".png", ".jpg", ".pdf")
_COMMIT = re.compile(r"[0-9a-f]{7,64}")


class State(NamedTuple):
    """A repository's top folder, its commit, with ``-dirty`` where files differ, and the patch.

    ``patch`` takes the commit to the files as they are, by ``git apply``; empty where they don't
    differ. Its first lines say which files it leaves out (too large, not text, secret by name).
    """

    top: Path
    commit: str
    patch: bytes


def state_of(folder: Path) -> State | None:
    """What git says of a folder; None where it is in no repository, or in one without a commit.

    Code that was never added counts, except for ignored files, what runs leave, and caches.
    Configs, points and texts beside it are none: what a run read of them is in its folder.
    """
    said = _git(folder, "rev-parse", "--show-toplevel", "HEAD")
    if said is None:
        return None
    top, head = os.fsdecode(said).splitlines()
    place = Path(top)
    changes = _changes(place)
    return State(place, head if changes == b"" else f"{head}-dirty", changes or b"")


def is_tracked(file: Path) -> bool:
    """Whether a file is in the repository around it, rather than lying there by chance."""
    return _git(file.parent, "ls-files", "--error-unmatch", "--", file.name) is not None


class Apart(NamedTuple):
    """Two commits of one repository: commits that only either has, and git's list of files."""

    only_first: int
    only_second: int
    files: list[str]


def apart(folder: Path, first: str, second: str) -> Apart | None:
    """How far two commits are apart; None where the folder's repository doesn't have both.

    ``first`` and ``second`` are hexadecimal; anything else is never given to git.
    """
    if not (_COMMIT.fullmatch(first) and _COMMIT.fullmatch(second)):
        return None
    counts = _git(folder, "rev-list", "--left-right", "--count", f"{first}...{second}", "--")
    plain = ("--no-color", "--no-ext-diff", "--no-textconv", "--no-renames")
    stat = _git(folder, "diff", *plain, "--stat=100", first, second, "--")
    if counts is None or stat is None:
        return None
    left, right = (int(count) for count in counts.split())
    return Apart(left, right, stat.decode(errors="replace").splitlines())


def _changes(top: Path) -> bytes | None:
    """The patch; None where git does not tell."""
    listed = _git(top, "ls-files", "-z", "--others", "--exclude-standard")
    notes = []
    if listed is None:
        notes.append("files that were never added: git did not list them in time")
    names = [os.fsdecode(name) for name in (listed or b"").split(b"\0") if name]
    untracked = list(_worked_on(top, names))
    taken, left_out = _chosen(top, untracked)
    notes += left_out
    patch = _diff(top, taken)
    if patch is None:
        return None
    if len(patch) > LARGEST_PATCH:
        notes.append(f"all changes: a patch of {len(patch)} bytes")
        patch = b""
    head = "".join(f"# left out: {note}\n" for note in notes).encode(errors="surrogateescape")
    return head + _without_passwords(patch)


def _worked_on(top: Path, names: Iterable[str]) -> Iterator[str]:
    """Code, without caches and what runs, sweeps and reports leave."""
    known: dict[Path, bool] = {top: False}

    def is_output(folder: Path) -> bool:
        if folder not in known:
            known[folder] = is_output(folder.parent) or _is_output(folder)
        return known[folder]

    for name in names:
        if name.lower().endswith((LOCK_NAME, *_NO_CODE)):
            continue
        if not is_output((top / name).parent):
            yield name


def _is_output(folder: Path) -> bool:
    if folder.name == "__pycache__" or (folder / HYDRA).is_dir():
        return True
    is_run = (folder / CONFIG).exists() and (folder / RESULT).exists()
    return is_run or any((folder / mark).exists() for mark in (*SWEEP_MARKS, RUNS_TABLE))


def _chosen(top: Path, names: list[str]) -> tuple[list[str], list[str]]:
    """The untracked files whose text goes into the patch, and notes on the others."""
    taken, notes, total = [], [], 0
    for name in names[:_MOST_FILES]:
        reason, size = _reason_against(top / name)
        if reason is None and total + size > LARGEST_PATCH:
            reason = "too much in all"
        if reason is None:
            taken.append(name)
            total += size
        else:
            notes.append(f"{name} ({reason})")
    more = len(notes) - _NAMED + max(len(names) - _MOST_FILES, 0)
    return taken, notes[:_NAMED] + ([f"and {more} more files"] if more > 0 else [])


def _reason_against(file: Path) -> tuple[str | None, int]:
    """Why a file is left out, if it is, and its size."""
    if any(fnmatch(file.name.lower(), pattern) for pattern in _SECRETS):
        return "may hold a secret", 0
    try:
        size = file.lstat().st_size
        if file.is_symlink():
            return None, size
        if not file.is_file():
            return "no file", 0
        if size > LARGEST_FILE:
            return f"{size} bytes", size
        with file.open("rb") as stream:
            return ("not text" if b"\0" in stream.read(_LOOKED_AT) else None), size
    except OSError as error:
        return str(error.strerror), 0


def _diff(top: Path, untracked: list[str]) -> bytes | None:
    """From HEAD to the files as they are, with these untracked ones; None if git does not tell."""
    if not untracked:
        return _git(top, "diff", *_PLAIN_DIFF, "HEAD")
    with TemporaryDirectory() as place:
        index = Path(place) / "index"
        where = _git(top, "rev-parse", "--git-path", "index")
        if where is None:
            return None
        own = top / os.fsdecode(where).removesuffix("\n")
        if own.exists():
            shutil.copyfile(own, index)
        names = b"".join(os.fsencode(name) + b"\0" for name in untracked)
        add = ("add", "--intent-to-add", "--pathspec-from-file=-", "--pathspec-file-nul")
        if _git(top, *add, index=index, given=names) is None:
            return None
        return _git(top, "diff", *_PLAIN_DIFF, "HEAD", index=index)


def _git(
    folder: Path, *arguments: str, index: Path | None = None, given: bytes = b""
) -> bytes | None:
    """What git prints; None where there is no git, it fails, or takes too long."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith("GIT_")}
    environment |= {"GIT_OPTIONAL_LOCKS": "0", "GIT_LITERAL_PATHSPECS": "1"}
    if index is not None:
        environment["GIT_INDEX_FILE"] = str(index)
    try:
        done = subprocess.run(
            ["git", "--no-optional-locks", "-c", "core.fsmonitor=false", *arguments],
            cwd=folder,
            env=environment,
            input=given,
            capture_output=True,
            timeout=SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout if done.returncode == 0 else None


def _without_passwords(patch: bytes) -> bytes:
    """Added lines with passwords in URLs masked: others must fit the commit as they are."""
    if b"://" not in patch and b"password=" not in patch:
        return patch
    lines = patch.decode(errors="surrogateescape").split("\n")
    shown = [masked(line) if line.startswith("+") else line for line in lines]
    return "\n".join(shown).encode(errors="surrogateescape")
