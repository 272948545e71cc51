"""What a run is within its sweep: a trial of a search, a confirmation, a job of a grid."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cnnsweep.folders.sweep_folder import (
    CONFIRM,
    JOURNAL,
    RESULTS,
    SweepFolder,
    is_confirmation,
    is_former_confirmation,
)
from cnnsweep.report.read.run_record import FORMER, Run
from cnnsweep.report.read.safe_io import Damaged, read_yaml


@dataclass(slots=True)
class Sweep:
    """A sweep folder with its runs. ``searched``: by Optuna, otherwise it is a grid.

    ``sampler`` and ``pruner`` are names of classes; empty where none is recorded.
    """

    folder: Path
    searched: bool
    n_jobs: int | None  # workers side by side, where the folder says
    stacked: bool  # a worker may have had several runs at a time
    runs: list[Run]
    sampler: str = ""
    pruner: str = ""
    default_first: bool = True  # trial 0 was the default config, where the space holds it

    @property
    def journal(self) -> Path | None:
        """The study's journal file; None where the study is in a database."""
        path = SweepFolder(self.folder).journal
        return path if path.is_file() and not path.is_symlink() else None

    @property
    def name(self) -> str:
        """The last two parts of the path; of the current folder, which has none, its name."""
        return "/".join(self.folder.parts[-2:] or Path.cwd().parts[-1:])


def join(runs: list[Run], folders: list[Path], problems: list[str]) -> list[Sweep]:
    """The sweeps that have runs; gives each run its role and the number of its trial."""
    by_folder: dict[Path, list[Run]] = {folder: [] for folder in folders}
    for run in runs:
        if run.sweep is not None:
            by_folder[run.sweep].append(run)
    sweeps = []
    for folder, members in by_folder.items():
        if members:
            sweep = _sweep(folder, members, problems)
            for run in members:
                _place(run, sweep)
            sweeps.append(sweep)
    for run in runs:
        if run.sweep is None and run.multirun:
            run.role = "grid"
    return sweeps


def _sweep(folder: Path, members: list[Run], problems: list[str]) -> Sweep:
    sweeper = sweeper_settings(folder, problems)
    # A grid has a journal too: only where its keys aren't known does that tell of a search.
    marks = (RESULTS,) if sweeper else (RESULTS, JOURNAL)
    searched = "n_trials" in sweeper or any((folder / name).is_file() for name in marks)
    n_jobs = sweeper.get("n_jobs")
    known = isinstance(n_jobs, int) and 0 < n_jobs < 10_000
    # A later launch may have had another number than the recorded one: what runs tell counts too.
    at_once = sweeper.get("stack", 1) != 1 or any((run.metric("stack") or 1) > 1 for run in members)
    sweep = Sweep(folder, searched, n_jobs if known else None, at_once, members)
    if searched:
        _tell_how_it_drew(sweep, sweeper_around(folder))
    return sweep


def _tell_how_it_drew(sweep: Sweep, sweeper: dict[str, Any]) -> None:
    sweep.sampler, sweep.pruner = _class(sweeper.get("sampler")), _class(sweeper.get("pruner"))
    sweep.default_first = sweeper.get("default_first") is not False


def _class(part: object) -> str:
    target = part.get("_target_") if isinstance(part, dict) else None
    return str(target or "").rpartition(".")[2]


def sweeper_around(folder: Path) -> dict[str, Any]:
    """A search's settings; of one of several searches they are recorded once for all of them."""
    found = (sweeper_settings(place, []) for place in (folder, *folder.parents[:2]))
    return next((sweeper for sweeper in found if sweeper), {})


def sweeper_settings(folder: Path, problems: list[str]) -> dict[str, Any]:
    """What a sweep folder's multirun.yaml has below ``hydra.sweeper``; {} where it has nothing.

    ``problems`` gets a line where the file cannot be read.
    """
    path = SweepFolder(folder).config
    if not path.is_file() or path.is_symlink():
        return {}
    try:
        sweeper = read_yaml(path).get("hydra", {}).get("sweeper", {})
    except (Damaged, AttributeError) as damage:
        problems.append(f"{path}: {damage}")
        return {}
    return sweeper if isinstance(sweeper, dict) else {}


def _place(run: Run, sweep: Sweep) -> None:
    place = run.folder.relative_to(sweep.folder)
    if is_former_confirmation(place):
        run.role = FORMER
    elif is_confirmation(place):
        run.role = CONFIRM
    else:
        run.role = "search" if sweep.searched else "grid"
        run.trial = int(place.parts[0]) if place.parts and place.parts[0].isdecimal() else None
