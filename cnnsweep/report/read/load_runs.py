"""The runs below some folders, their sweeps, and a line on each thing that could not be read."""

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from cnnsweep import __version__
from cnnsweep.errors import UserError
from cnnsweep.folders import run_folder, sweep_folder
from cnnsweep.folders.run_folder import CONFIG, HYDRA, RESULT, write_text_whole
from cnnsweep.report.read.find import Found, find
from cnnsweep.report.read.parse_run import read_run
from cnnsweep.report.read.run_record import STATUSES, Run
from cnnsweep.report.read.sweeps import Sweep, join

DEFAULT_ROOTS = (run_folder.ROOT, sweep_folder.ROOT)


@dataclass(slots=True)
class Gathered:
    """Runs in the order of their paths; ``problems`` has a line on each thing that was not read."""

    roots: list[Path]
    runs: list[Run]
    sweeps: list[Sweep]
    problems: list[str]

    def counts(self) -> dict[str, int]:
        """How many runs there are of each status that occurs."""
        counted = Counter(run.status for run in self.runs)
        return {status: counted[status] for status in STATUSES if counted[status]}


def roots(folders: Sequence[Path]) -> list[Path]:
    """The folders to look below: those given, else the default ones that exist.

    Raises:
        UserError: one does not exist or is not a folder.
    """
    if not folders:
        present = [folder for folder in DEFAULT_ROOTS if folder.is_dir()]
        if not present:
            named = " nor ".join(map(str, DEFAULT_ROOTS))
            raise UserError(f"no folder was given, and there is neither {named} here")
        return present
    for folder in folders:
        if not folder.is_dir():
            raise UserError(
                f"{folder} is {'not a' if folder.exists() else 'no such'} folder.{_near(folder)}"
            )
    return [_from_here(folder) for folder in folders]


def _from_here(folder: Path) -> Path:
    """Relative where it lies below the current folder: it is read more easily, and can be typed."""
    here = Path.cwd()
    return folder.relative_to(here) if folder.is_relative_to(here) else folder


def _near(folder: Path) -> str:
    beside = folder.parent
    names = [p.name for p in beside.iterdir() if p.is_dir()] if beside.is_dir() else []
    near = get_close_matches(folder.name, names, n=1, cutoff=0.5)
    return f" Did you mean {beside / near[0]}?" if near else ""


def gather(folders: Sequence[Path], cache: Path | None = None) -> Gathered:
    """Read every run below the folders; ``cache`` is a file that makes the next call faster.

    Raises:
        UserError: there is no run at all.
    """
    finds = find(folders)
    if not finds.runs:
        places = ", ".join(str(folder) for folder in folders)
        raise UserError(
            f"no run below {places}: a run is a folder with {RESULT} or {HYDRA}/{CONFIG} in it"
        )
    known = Cache(cache)
    runs = []
    for found in finds.runs:
        run = known.get(found) or read_run(found)
        run.sweep = found.sweep
        runs.append(run)
    known.keep(zip(finds.runs, runs, strict=True), len(runs))
    problems = finds.problems + [line for run in runs for line in run.problems]
    sweeps = join(runs, finds.sweeps, problems)
    _tell_targets_apart(runs)
    return Gathered(list(folders), runs, sweeps, problems)


def _tell_targets_apart(runs: list[Run]) -> None:
    """A choice with several targets (``model=simple model._target_=my.Net``) gets several names."""
    targets: dict[tuple[str, object], set[object]] = defaultdict(set)
    groups = {key for run in runs for key in run.config if f"{key}._target_" in run.config}
    for run in runs:
        for group in groups & run.config.keys():
            targets[group, run.config[group]].add(run.config.get(f"{group}._target_"))
    mixed = {key: names for key, names in targets.items() if len(names) > 1}
    for run in runs if mixed else ():
        for group in groups & run.config.keys():
            if names := mixed.get((group, run.config[group])):
                target = str(run.config.get(f"{group}._target_"))
                short = target.rpartition(".")[2]
                is_clear = sum(str(name).rpartition(".")[2] == short for name in names) == 1
                run.config[group] = f"{run.config[group]} ({short if is_clear else target})"


FILE = ".cache.jsonl"
_FORMAT = f"cnnsweep report {__version__}, 7"
_SHAPE = {"config": dict, "result": dict, "metrics": dict, "problems": list, "status": str}


class Cache:
    """Runs by folder, each with the stamps of the files it was read from. Plain JSON lines."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._known = {} if path is None else _load(path)
        self.hits = 0

    def get(self, found: Found) -> Run | None:
        """The run as it was read, if none of its files has changed in size or time since."""
        stamps, plain = self._known.get(str(found.folder), (None, None))
        if plain is None or stamps != {name: list(s) for name, s in found.files.items()}:
            return None
        self.hits += 1
        return Run(folder=found.folder, **plain)

    def keep(self, pairs: Iterable[tuple[Found, Run]], total: int) -> None:
        """Write the runs for the next call, unless it would read the same as this one."""
        if self._path is None or self.hits == total == len(self._known):
            return
        lines = [json.dumps(_FORMAT)]
        lines += [json.dumps([str(f.folder), f.files, r.as_plain()]) for f, r in pairs]
        self._path.parent.mkdir(parents=True, exist_ok=True)
        write_text_whole(self._path, "\n".join(lines))


def _load(path: Path) -> dict[str, tuple[Mapping[str, Any], dict[str, Any]]]:
    """Nothing where the cache is absent, damaged or of another version: it is only a cache."""
    if path.is_symlink() or not path.is_file():
        return {}
    try:
        with path.open(encoding="utf-8") as lines:
            if json.loads(next(lines)) != _FORMAT:
                return {}
            entries = [json.loads(line) for line in lines]
            return {e[0]: (e[1], e[2]) for e in entries if _fits(e[2])}
    except (OSError, ValueError, LookupError, TypeError, StopIteration, RecursionError):
        return {}


def _fits(plain: Any) -> bool:
    return all(isinstance(plain[name], kind) for name, kind in _SHAPE.items())
