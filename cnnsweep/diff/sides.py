"""What is compared: two runs, or two sweeps; the best run of a sweep stands for it beside a run."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cnnsweep.diff.entries import shown
from cnnsweep.errors import UserError
from cnnsweep.folders.run_folder import RESULT
from cnnsweep.folders.winner import Chosen, chosen_run
from cnnsweep.report.read.find import find
from cnnsweep.report.read.load_runs import Gathered, gather, roots
from cnnsweep.report.read.parse_run import read_run
from cnnsweep.report.read.run_record import Run, as_compared
from cnnsweep.report.read.safe_io import Damaged, Scalar, flatten, read_json
from cnnsweep.report.read.sweeps import sweeper_settings

_SWEEPER = "hydra.sweeper."
_SPACE = f"{_SWEEPER}params."
_MOST_VALUES = 6  # of a setting that a sweep varies, in text


@dataclass(frozen=True, slots=True)
class RunSide:
    """One of two runs. ``record`` is its result.json as it is, {} without one that can be read."""

    name: str  # A or B
    run: Run
    record: dict[str, Any]
    said: list[str] = field(default_factory=list)

    @property
    def folder(self) -> Path:
        """The run's folder."""
        return self.run.folder


@dataclass(frozen=True, slots=True)
class SweepSide:
    """One of two sweeps, or folders with several runs."""

    name: str
    folder: Path
    gathered: Gathered
    settings: dict[str, Scalar]
    said: list[str] = field(default_factory=list)


def sides(first: Path, second: Path) -> tuple[RunSide, RunSide] | tuple[SweepSide, SweepSide]:
    """Read both folders.

    Raises:
        UserError: one is no folder, or holds neither a run nor a sweep, or is a sweep without a
            best run beside a run.
    """
    roots([first, second])  # both are folders
    runs = _own_run(first), _own_run(second)
    if runs[0] is None and runs[1] is None:
        return _sweep("A", first), _sweep("B", second)
    return _run("A", first, runs[0]), _run("B", second, runs[1])


def _own_run(folder: Path) -> Run | None:
    """The run whose folder it is; None for any other folder."""
    found = next((found for found in find([folder]).runs if found.folder == folder), None)
    return None if found is None else read_run(found)


def _run(name: str, folder: Path, run: Run | None) -> RunSide:
    said = []
    if run is None:
        chosen = _best_run(folder)
        said.append(chosen.said or f"{folder}: {chosen.run} is taken")
        said.append(f"{name} is the best of several: its validation metrics are optimistic.")
        run = _own_run(chosen.run)
    if run is None:
        raise UserError(f"{folder} holds neither a run nor a sweep: allowed is the folder of one")
    if run.status != "completed":
        lacking = (
            "it has no result yet" if run.status == "unfinished" else "its metrics are not final"
        )
        lacking = "some of its files cannot be read" if run.status == "damaged" else lacking
        said.append(f"{name} is {run.status}: {lacking}.")
    return RunSide(name, run, _record(run.folder), said)


def _best_run(sweep: Path) -> Chosen:
    """The sweep's best run. Raises UserError where there is none, also for want of whole files."""
    try:
        return chosen_run(sweep)
    except UserError:
        raise
    except (TypeError, ValueError, LookupError, AttributeError) as error:
        raise UserError(f"{sweep} is damaged, its best run is unknown: name a run of it") from error


def _record(folder: Path) -> dict[str, Any]:
    path = folder / RESULT
    if path.is_symlink() or not path.is_file():
        return {}
    try:
        return read_json(path)
    except Damaged:  # which reading the run has told already
        return {}


def _sweep(name: str, folder: Path) -> SweepSide:
    gathered = gather([folder])
    recorded = _recorded(folder, gathered.problems)
    settings = _varied(gathered.runs)
    space = {key.removeprefix(_SPACE) for key in recorded if key.startswith(_SPACE)}
    settings |= dict.fromkeys(space & settings.keys(), "searched")
    return SweepSide(name, folder, gathered, settings | recorded)


def _varied(runs: Iterable[Run]) -> dict[str, Scalar]:
    """Each config key of the runs: its value, or those that it takes."""
    values: dict[str, dict[str, Scalar]] = {}
    for run in runs:
        for key, value in run.config.items():
            values.setdefault(key, {})[shown(as_compared(value))] = value
    return {
        key: next(iter(taken.values())) if len(taken) == 1 else _listed(taken)
        for key, taken in values.items()
    }


def _listed(taken: Iterable[str]) -> str:
    names = sorted(taken)
    return f"{len(names)} values" if len(names) > _MOST_VALUES else " | ".join(names)


def _recorded(folder: Path, problems: list[str]) -> dict[str, Scalar]:
    """The sweeper's own keys: space, sampler, pruner, number of trials, seeds."""
    flat = flatten(sweeper_settings(folder, problems))
    return {f"{_SWEEPER}{key}": value for key, value in flat.items()}
