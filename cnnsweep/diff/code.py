"""The code of two runs: commits, kept patches, and how far the commits are apart."""

from collections.abc import Mapping
from dataclasses import dataclass
from difflib import unified_diff
from pathlib import Path
from typing import Any

from cnnsweep.diff.entries import Entry, entries
from cnnsweep.diff.sides import RunSide
from cnnsweep.folders.repository import LARGEST_PATCH, Apart, apart
from cnnsweep.folders.run_folder import FOLDER_PATCH, PATCH
from cnnsweep.report.answer.block import Block
from cnnsweep.report.read.escape import plain
from cnnsweep.report.read.run_record import Run
from cnnsweep.report.read.safe_io import Damaged, Scalar, read_text

_COMMITS = ("commit", "commit_of_folder")
_VERSION, _CHANGES, _DIRTY = "versions.cnnsweep", "changes", "-dirty"
_MOST_LINES = 40  # of a difference of patches, and of git's list of files
_LONGEST_PATCH = 5000  # lines that are compared line by line


@dataclass(frozen=True, slots=True)
class Patches:
    """How the patch of B differs from A's: lines of a unified diff, shortened; ``left`` more."""

    name: str
    lines: list[str]
    left: int


@dataclass(frozen=True, slots=True)
class Code:
    """``same`` is None where the runs don't tell; ``between`` by which commits are meant."""

    same: bool | None
    entries: list[Entry]
    between: dict[str, Apart]
    patches: list[Patches]

    def as_plain(self) -> dict[str, Any]:
        """What JSON holds."""
        return {
            "same": self.same,
            "recorded": [entry.as_plain() for entry in self.entries],
            "between": [
                {"of": name, "only_a": far.only_first, "only_b": far.only_second,
                 "files": [plain(line) for line in far.files]}
                for name, far in self.between.items()
            ],
            "patches": [
                {"file": patch.name, "lines": patch.lines, "lines_left_out": patch.left}
                for patch in self.patches
            ],
        }  # fmt: skip

    def block(self) -> Block:
        """Commits side by side, what git says of them, how the patches differ."""
        said = {True: "the same.", False: "differs.", None: "whether it is the same is unknown."}
        sentences = [f"Code: {said[self.same]}"]
        lines = []
        for name, far in self.between.items():
            sentences.append(
                f"Code: {far.only_second} commits only of B, {far.only_first} only of A ({name})."
            )
            lines += far.files[-1:] if len(far.files) > _MOST_LINES else far.files
        for patch in self.patches:
            sentences.append(f"Code: uncommitted changes differ ({patch.name}).")
            more = [f"… and {patch.left} more lines"] if patch.left else []
            lines += [*patch.lines, *more]
        rows = [entry.row() for entry in self.entries if entry.differs]
        columns = ["", "A", "B"] if rows else ()
        return Block("Code", sentences, lines, columns, rows)


def code_apart(a: RunSide, b: RunSide, here: Path, problems: list[str]) -> Code:
    """Compare what the results record of the code.

    Args:
        a: one run.
        b: the other one.
        here: a folder whose git repository, if it has both commits, is asked about them.
        problems: gets a line on each patch that cannot be read.
    """
    known = entries([*_COMMITS, _CHANGES, _VERSION], a.run.result, b.run.result)
    between = {
        name: far
        for name in _COMMITS
        if (far := _far(a.run.result.get(name), b.run.result.get(name), here)) is not None
    }
    pairs = ((n, _patch(a, n, problems), _patch(b, n, problems)) for n in (PATCH, FOLDER_PATCH))
    patches = [_differing(*pair) for pair in pairs if pair[1] != pair[2]]
    return Code(_is_same(a.run, b.run, bool(patches)), known, between, patches)


def _is_same(a: Run, b: Run, other_patch: bool) -> bool | None:
    states = [_state(run.result) for run in (a, b)]
    if (states[0] != states[1] and None not in states) or other_patch:
        return False
    return None if None in states or any(map(_is_unclear, (a, b))) else True


def _state(result: Mapping[str, Scalar]) -> tuple[Scalar, ...] | None:
    """What tells the code; without a commit that is the version; None where neither is known."""
    commit, version = result.get("commit"), result.get(_VERSION)
    if commit is None and version is None:
        return None
    of_folder, changes = result.get("commit_of_folder"), result.get(_CHANGES)
    return commit, of_folder, changes, None if commit else version


def _is_unclear(run: Run) -> bool:
    """Whether there were changes that older code did not keep."""
    commits = (str(run.result.get(name)) for name in _COMMITS)
    return any(c.endswith(_DIRTY) for c in commits) and run.result.get(_CHANGES) is None


def _far(first: Scalar, second: Scalar, here: Path) -> Apart | None:
    commits = [str(commit).removesuffix(_DIRTY) for commit in (first, second)]
    return None if commits[0] == commits[1] else apart(here, commits[0], commits[1])


def _patch(side: RunSide, name: str, problems: list[str]) -> list[str]:
    path = side.folder / name
    if path.is_symlink() or not path.is_file():
        return []
    try:
        return read_text(path, 2 * LARGEST_PATCH).splitlines()
    except Damaged as damage:
        problems.append(f"{path}: {damage}")
        return []


def _differing(name: str, a: list[str], b: list[str]) -> Patches:
    if max(len(a), len(b)) > _LONGEST_PATCH:
        return Patches(name, [f"{len(a):,} lines of A, {len(b):,} lines of B"], 0)
    lines = [plain(line) for line in unified_diff(a, b, f"A/{name}", f"B/{name}", lineterm="", n=2)]
    return Patches(name, lines[:_MOST_LINES], max(len(lines) - _MOST_LINES, 0))
