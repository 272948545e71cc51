"""Finding run folders and sweep folders below some roots; no link is followed, no file opened."""

import os
from collections.abc import Container, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from cnnsweep.folders.run_folder import CONFIG, HYDRA, HYDRA_CONFIG, METRICS, RESULT, RUN_MARKS
from cnnsweep.folders.sweep_folder import RUNS_TABLE, SEED, SUMMARY_TABLE, SWEEP_MARKS

_REPORT = {RUNS_TABLE, SUMMARY_TABLE}
_READABLE = (".csv", ".json", ".yaml", ".yml")
_DEEPEST_METRICS = 4  # levels below a run in which another app's files of metrics are looked for

Entry = os.DirEntry[str]
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
    path: str  # not a Path: making thousands of those takes most of the time
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
    stack = [_Place(str(root), None, None, 0)]
    while stack:
        place = stack.pop()
        real = os.path.realpath(place.path)
        if real in seen:
            continue
        seen.add(real)
        try:
            with os.scandir(place.path) as entries:
                stack.extend(_look_into(place, list(entries), finds))
        except OSError as error:
            finds.problems.append(f"{place.path}: not read ({error.strerror})")


def _look_into(place: _Place, entries: list[Entry], finds: Finds) -> Iterator[_Place]:
    """Note whether the folder is a run or a sweep; yield the folders in it to look into."""
    linked = [entry.path for entry in entries if entry.is_symlink() and _matters(entry.name)]
    finds.problems += [f"{path}: a link, not followed" for path in linked]
    files = {e.name: e for e in entries if e.is_file(follow_symlinks=False)}
    folders = {e.name: e for e in entries if e.is_dir(follow_symlinks=False)}
    if files.keys() >= _REPORT:
        for name in _REPORT:
            del files[name]  # tables of our reports are not metrics of another app
    sweep = place.sweep
    if any(mark in files for mark in SWEEP_MARKS):
        sweep = Path(place.path)
        finds.sweeps.append(sweep)
    owner, depth = place.owner, place.depth + 1
    hydra = _hydra(folders)
    if hydra or _is_run(files, folders):
        owner, depth = Found(Path(place.path), sweep), 1
        finds.runs.append(owner)
        owner.files |= {f"{HYDRA}/{entry.name}": _stamp(entry) for entry in hydra}
    if owner is not None and depth <= _DEEPEST_METRICS:
        # Not by lengths: below the root "." a path begins with "./", and a Path does not.
        inside = os.path.relpath(place.path, owner.folder).removeprefix(".")
        for name in sorted(name for name in files if name.endswith(_READABLE)):
            owner.files[os.path.join(inside, name)] = _stamp(files[name])  # noqa: PTH118
    for name, entry in folders.items():
        if not name.startswith("."):
            yield _Place(entry.path, sweep, owner, depth)


def _hydra(folders: dict[str, Entry]) -> list[Entry]:
    """Hydra's files of a run; [] where the folder is none, or the root of a trial's seeds."""
    if HYDRA not in folders:
        return []
    with os.scandir(folders[HYDRA].path) as entries:
        files = {e.name: e for e in entries if e.is_file(follow_symlinks=False)}
    return [files[n] for n in (CONFIG, HYDRA_CONFIG) if n in files and CONFIG in files]


def _is_run(files: Container[str], folders: Iterable[str]) -> bool:
    if RESULT in files:
        # The result of a trial of several seeds is the mean of runs that lie below it.
        seeds = any(name.startswith(SEED) for name in folders)
        return METRICS in files or not seeds
    return CONFIG in files and any(mark in files for mark in RUN_MARKS)


def _stamp(entry: Entry) -> Stamp:
    status = entry.stat(follow_symlinks=False)
    return status.st_mtime_ns, status.st_size


def _matters(name: str) -> bool:
    return name.endswith(_READABLE) or "." not in name or name == HYDRA


def _natural(path: Path) -> list[tuple[int, int, str]]:
    """So that trial 2 comes before trial 10."""
    return [(0, int(p), "") if p.isdecimal() else (1, 0, p) for p in path.parts]
