"""Finding run folders and sweep folders below some roots; no link is followed, no file opened."""

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

SWEEP_MARKS = ("study.journal", "optimization_results.yaml", "multirun.yaml")
_RUN_MARKS = ("metrics.csv", "cnnsweep.log", "last.pt", "best.pt")
_REPORT = {"runs.csv", "summary.csv"}
_READABLE = (".csv", ".json", ".yaml", ".yml")
_DEEPEST_FIGURES = 4  # levels below a run in which another app may keep its figures

Stamp = tuple[int, int]  # modification time in ns, size in bytes


@dataclass(slots=True)
class Found:
    """A run folder, the files in it that can be read, and the sweep folder around it."""

    folder: Path
    sweep: Path | None
    files: dict[str, Stamp] = field(default_factory=dict)  # by path relative to the folder


@dataclass(slots=True)
class Finds:
    """All that was found, and a line on each thing that was not looked at."""

    runs: list[Found] = field(default_factory=list)
    sweeps: list[Path] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


@dataclass(slots=True)
class _Place:
    path: Path
    sweep: Path | None
    owner: Found | None
    depth: int  # levels below the owner


def find(roots: Iterable[Path]) -> Finds:
    """Every run below the roots, each once, in the order of their paths."""
    finds = Finds()
    seen: set[str] = set()
    for root in roots:
        _walk(root, finds, seen)
    finds.runs.sort(key=lambda found: _natural(found.folder))
    return finds


def _walk(root: Path, finds: Finds, seen: set[str]) -> None:
    stack = [_Place(root, None, None, 0)]
    while stack:
        place = stack.pop()
        real = os.path.realpath(place.path)
        if real in seen:
            continue
        seen.add(real)
        try:
            entries = list(os.scandir(place.path))
        except OSError as error:
            finds.problems.append(f"{place.path}: not read ({error.strerror})")
            continue
        stack.extend(_look_into(place, entries, finds))


def _look_into(place: _Place, entries: list[os.DirEntry[str]], finds: Finds) -> Iterator[_Place]:
    """Note what the folder is; the folders in it that are worth a look."""
    linked = [entry.name for entry in entries if entry.is_symlink() and _matters(entry.name)]
    finds.problems += [f"{place.path / name}: a link, not followed" for name in linked]
    files = {e.name for e in entries if e.is_file(follow_symlinks=False)}
    folders = [e.name for e in entries if e.is_dir(follow_symlinks=False)]
    if files >= _REPORT:
        files -= _REPORT  # a report of ours is no other app's figures
    sweep = place.sweep
    if any(mark in files for mark in SWEEP_MARKS):
        sweep = place.path
        finds.sweeps.append(place.path)
    owner, depth = place.owner, place.depth + 1
    if _is_run(place.path, files, folders):
        owner, depth = Found(place.path, sweep), 1
        finds.runs.append(owner)
        if ".hydra" in folders and not (place.path / ".hydra").is_symlink():
            _stamp(owner, place.path / ".hydra", ("config.yaml", "hydra.yaml"))
    if owner is not None and depth <= _DEEPEST_FIGURES:
        _stamp(owner, place.path, sorted(name for name in files if name.endswith(_READABLE)))
    for name in folders:
        if not name.startswith("."):
            yield _Place(place.path / name, sweep, owner, depth)


def _is_run(path: Path, files: set[str], folders: list[str]) -> bool:
    if any(name.startswith("seed_") for name in folders) and "metrics.csv" not in files:
        return False  # a trial of several seeds: its runs lie below it
    if ".hydra" in folders and (path / ".hydra" / "config.yaml").is_file():
        return True
    if "result.json" in files:
        return True
    return "config.yaml" in files and any(mark in files for mark in _RUN_MARKS)


def _stamp(owner: Found, folder: Path, names: Iterable[str]) -> None:
    relative = folder.relative_to(owner.folder)
    for name in names:
        path = folder / name
        if path.is_symlink() or not path.is_file():
            continue
        status = path.stat()
        owner.files[str(relative / name)] = (status.st_mtime_ns, status.st_size)


def _matters(name: str) -> bool:
    return name.endswith(_READABLE) or "." not in name or name == ".hydra"


def _natural(path: Path) -> list[tuple[int, int, str]]:
    """So that trial 2 comes before trial 10."""
    return [(0, int(p), "") if p.isdecimal() else (1, 0, p) for p in path.parts]
