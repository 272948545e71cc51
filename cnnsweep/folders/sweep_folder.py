"""The sweep folder: the one owner of every file name in it that is not a run's.

A search of a comparison has a sweep folder of its own below the comparison's. Names with ``{}`` are
to be formatted.
"""

import csv
import shutil
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path, PurePath
from typing import Any

import yaml

from cnnsweep.folders.lock import LOCK_NAME, is_held_elsewhere
from cnnsweep.folders.run_folder import (
    LENGTHENED,
    LONGER,
    RESULT,
    TRACKERS,
    as_csv,
    read_mapping,
    write_text_whole,
)

ROOT = Path("multirun")  # where Hydra puts sweeps unless told otherwise
SWEEP_CONFIG = "multirun.yaml"
RESULTS = "optimization_results.yaml"
ENDED_BY = "ended_by"  # in RESULTS: what ended the search, one of
NO_TRIALS, NO_POINTS, TIMEOUT, BUDGET = "n_trials", "points", "timeout", "budget"
DEFAULT_TRIAL = "default_trial"  # in RESULTS: the number of the trial that is the default config
WARM_START = "warm_start"  # in RESULTS: how many trials its sampler knew beforehand, by folder
POINTS_OF = "points_of"  # in RESULTS: among how many more trials of a folder its winner was chosen
BETTER = "better_elsewhere"  # in RESULTS: a trial that beats best_trial, and is none of its own
_FOUND = {"best_params", "solutions"}  # with one of them, RESULTS are those of one search
JOURNAL = "study.journal"
FOLDER = "folder"  # an attribute of a trial that names its folder: what it is to do is settled
OTHERS_FOLDER = "folder of another run"  # an attribute of a trial that is not to touch it
POINT = "point"  # an attribute of a trial that is a given point: its number among them, from 0
IS_DEFAULT = "default config"  # an attribute of the trial that is it, in the study
JOBS = "jobs.csv"  # of a grid: the number and folder of each job, and its values of the axes
SWEEP_MARKS = (JOURNAL, RESULTS, SWEEP_CONFIG)  # one of them makes a folder a sweep's
_DEEPEST = 4  # folders from a run's up to its sweep's: <sweep>/<choice>/<search>/<trial>/<seed>
SEARCH = "search_"  # then the number of the search among several of the same space, from 0
SEED = "seed_"  # then the number of the run among its trial's, from 0
CONFIRM = "confirm"
FORMER_CONFIRM = f"{CONFIRM}-of-{{}}"  # the confirmation runs of an earlier winner, by its number
REPORT = "report"
RUNS_TABLE, SUMMARY_TABLE = "runs.csv", "summary.csv"  # of a report
HOSTS = ".hosts"
MUTEXES = f"{HOSTS}/mutexes"
WORKERS = ".workers"  # in it, or in a host's folder in it:
TOKEN = "token"  # proves to the listener that a nanny can read this folder
HEARTBEAT = "heartbeat_{}"  # touched as long as the launching process lives
WORKER_LOG = "{}.log"  # by slot; locked while a worker lives
LAUNCHER_LOG = "launcher_{}.log"  # by number of the launch
LAUNCHER_JOB = "job_{}_{}"  # by launch and job; a folder that Hydra makes


class SweepFolder:
    """The files of one sweep below ``path``."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.config = path / SWEEP_CONFIG
        self.results = path / RESULTS
        self.journal = path / JOURNAL
        self.report = path / REPORT

    def run(self, trial: int, seed_index: int | None = None) -> Path:
        """A trial's folder; with ``seed_index`` that of one of its several runs."""
        folder = self.path / str(trial)
        return folder if seed_index is None else folder / f"{SEED}{seed_index}"

    def confirmation(self, seed: int) -> Path:
        """The folder of the confirmation run with this seed."""
        return self.path / CONFIRM / str(seed)

    def write_jobs(self, axes: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
        """Write a grid's jobs: number, folder, then the values of the axes."""
        write_text_whole(self.path / JOBS, as_csv(("number", "folder", *axes), rows))

    def read_jobs(self) -> list[Path] | None:
        """The folders of a grid's jobs; None where no launch of ours has listed them."""
        try:
            text = (self.path / JOBS).read_text(encoding="utf-8")
        except (FileNotFoundError, UnicodeDecodeError):
            return None
        rows = csv.DictReader(text.splitlines())
        return [self.path / str(row["folder"]) for row in rows if row.get("folder")]

    def tracked(self, tracker: str) -> Iterator[Path]:
        """The run folders in which a tracker was at work."""
        locks = self.path.glob(f"*/**/{TRACKERS}/{tracker}{LOCK_NAME}")
        return (lock.parent.parent for lock in locks)

    def read_config(self) -> dict[str, Any] | None:
        """The sweep's config, Hydra's part included, its interpolations as they were written.

        None where there is none; raises UserError for a damaged file.
        """
        return read_mapping(self.config, yaml.safe_load, yaml.YAMLError)

    def read_results(self) -> dict[str, Any] | None:
        """The search's results; None while it isn't over. Raises UserError for a damaged file."""
        return read_mapping(self.results, yaml.safe_load, yaml.YAMLError)


def ends(results: dict[str, Any]) -> set[str]:
    """What ended the searches whose results a sweep has, one or those of a comparison.

    Results of older versions do not say: their n_trials did.
    """
    several = searches_in(results)
    if not several:
        return {str(results.get(ENDED_BY, NO_TRIALS))}
    return {end for one in several.values() for end in ends(one)}


def searches_in(results: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The results of the choices or searches that a sweep has, by name; {} of a search's own."""
    if _FOUND & results.keys():
        return {}
    return {name: one for name, one in results.items() if isinstance(one, dict)}


def results_below(folder: Path) -> list[Path]:
    """The folders below one that have a result, relative to it; each run once.

    Where a run is being made longer there is another one in its folder for a while.
    """
    places = [path.parent.relative_to(folder) for path in folder.rglob(RESULT)]
    return [place for place in places if place.name not in (LONGER, LENGTHENED)]


def seed_runs(trial: Path) -> list[Path]:
    """The folders of a trial's runs in the order of their numbers; [] where it is one run."""
    return [run for _, run in numbered(trial, SEED)]


def numbered(folder: Path, prefix: str) -> list[tuple[int, Path]]:
    """What is in a folder under names of a prefix and a number, in the order of the numbers."""
    numbers = {path: path.name.removeprefix(prefix) for path in folder.glob(f"{prefix}*")}
    found = ((int(number), path) for path, number in numbers.items() if number.isdecimal())
    return sorted(found, key=lambda pair: pair[0])


def sweep_around(run: Path) -> Path | None:
    """The sweep folder in which a run folder lies; None for a single run's."""
    above = run.absolute().parents[:_DEEPEST]
    return next((folder for folder in above if (folder / SWEEP_CONFIG).exists()), None)


def is_confirmation(run: PurePath) -> bool:
    """Whether a run folder, relative to its sweep's, is a confirmation run's."""
    return run.parent.name == CONFIRM


def is_former_confirmation(run: PurePath) -> bool:
    """Whether a run folder, relative to its sweep's, confirmed an earlier winner."""
    return run.parent.name.startswith(FORMER_CONFIRM.format(""))


def is_repeated_search(sweep: PurePath) -> bool:
    """Whether a sweep folder is that of one of several searches of the same choice."""
    number = sweep.name.removeprefix(SEARCH)
    return number != sweep.name and number.isdecimal()


def is_search_trial(place: PurePath) -> bool:
    """Whether a folder, relative to its sweep's, is that of a trial, of all its runs."""
    former = FORMER_CONFIRM.format("")
    above = place.parent.name
    return place.name.isdecimal() and above != CONFIRM and not above.startswith(former)


def is_unused(folder: Path) -> bool:
    """Whether no sweep has begun there: it is not there, or holds what Hydra makes beforehand."""
    return not folder.is_dir() or {entry.name for entry in folder.iterdir()} <= {
        LOCK_NAME,
        SWEEP_CONFIG,
    }


def remove_unused(folder: Path) -> None:
    """Leave nothing of a sweep that was refused before it began."""
    if not folder.is_dir() or is_held_elsewhere(folder):
        return
    if is_unused(folder):
        shutil.rmtree(folder)
        root = ROOT.resolve()
        if folder.parent.parent == root:
            with suppress(OSError):  # they hold other sweeps
                folder.parent.rmdir()
                root.rmdir()
