"""What a search was given: trials whose settings were not drawn, and trials of other sweeps."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice, takewhile
from pathlib import Path
from typing import Any

from cnnsweep.folders.sweep_folder import (
    BETTER,
    DEFAULT_TRIAL,
    IS_DEFAULT,
    POINT,
    POINTS_OF,
    WARM_START,
    SweepFolder,
)
from cnnsweep.report.read.run_record import finite
from cnnsweep.report.read.safe_io import Damaged, read_yaml
from cnnsweep.report.read.sweeps import Sweep, sweeper_around

_LARGEST = 256 << 20
_CREATED = re.compile(rb'\{"op_code":\s*4,')  # a line of Optuna's journal that adds a trial
_GIVEN = b'"fixed_params"'  # in such a line where the trial was enqueued with settings
_DEFAULT = f'"{IS_DEFAULT}"'.encode()  # in such a line of the trial that is it
_POINT = re.compile(rb'"user_attrs": ?\{[^}]*"%s": ?\d' % POINT.encode())  # in one of a given point
_MOST_LINES = 1000  # of a journal, in which the given trials are added


def given_trials(sweep: Sweep) -> set[int]:
    """Numbers of the trials that were enqueued, such as the default config.

    Where the study's journal is not in the folder, trial 0 counts as one unless the sweep's
    settings say that it was drawn: to leave out a draw by its number alone changes nothing.
    """
    journal = sweep.journal
    if journal is None or journal.stat().st_size > _LARGEST:
        return {0} if sweep.default_first else set()
    return {number for number, line in enumerate(_created(journal)) if _GIVEN in line}


def given_points(sweep: Sweep) -> set[int]:
    """Numbers of the trials that were given as points, the default config where it is one of them.

    Studies of older code do not mark points: all that was enqueued but for the default config,
    which was trial 0.
    """
    journal = sweep.journal
    if journal is None or journal.stat().st_size > _LARGEST:
        return set()
    default = default_trial(sweep)
    default = 0 if default is None and sweep.default_first else default
    return {
        number
        for number, line in enumerate(_created(journal))
        if _GIVEN in line and (number != default or _POINT.search(line))
    }


def default_trial(sweep: Sweep) -> int | None:
    """The number of the trial that is the config without the search; None where it is none.

    The results have it, or else the study's journal, where it is enqueued before any that is drawn.
    """
    number = _results(sweep).get(DEFAULT_TRIAL)
    if isinstance(number, int):
        return number
    journal = sweep.journal
    created = iter(()) if journal is None else _created(journal, _MOST_LINES)
    given = takewhile(lambda line: _GIVEN in line, created)
    return next((number for number, line in enumerate(given) if _DEFAULT in line), None)


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """A trial that beats a search's winner and is none of its own.

    ``trial`` is its number in the study where others ran it, else ``folder`` is its run's.
    """

    value: float
    params: Mapping[str, Any]
    trial: int | None
    folder: str | None


@dataclass(frozen=True, slots=True)
class Beforehand:
    """What a search had of other sweeps before its first trial.

    ``warm_start``: how many trials its sampler knew, by their folder; None: that isn't recorded
    before the search is over. ``points_of``: its winner was given as a point, chosen among so many
    trials of a folder besides those that the search tried.
    """

    warm_start: Mapping[str, int | None] = field(default_factory=dict)
    points_of: int = 0
    better: Elsewhere | None = None


def beforehand(sweep: Sweep) -> Beforehand:
    """By the search's results, or else by how it was launched."""
    results = _results(sweep)
    if not results:
        typed = sweeper_around(sweep.folder).get(WARM_START) or ()
        folders = [typed] if isinstance(typed, str) else typed
        return Beforehand(dict.fromkeys(map(str, folders if isinstance(folders, list) else ())))
    known = results.get(WARM_START)
    return Beforehand(
        {str(k): _count(n) for k, n in known.items()} if isinstance(known, dict) else {},
        _count(results.get(POINTS_OF)) or 0,
        _elsewhere(results.get(BETTER)),
    )


def _elsewhere(found: object) -> Elsewhere | None:
    one = found if isinstance(found, dict) else {}
    value, params, folder = finite(one.get("value")), one.get("params"), one.get("folder")
    if value is None or not isinstance(params, dict):
        return None
    return Elsewhere(
        value, params, _count(one.get("trial")), None if folder is None else str(folder)
    )


def _count(found: object) -> int | None:
    is_one = isinstance(found, int) and not isinstance(found, bool)
    return found if is_one and isinstance(found, int) and found >= 0 else None


def _results(sweep: Sweep) -> dict[str, Any]:
    path = SweepFolder(sweep.folder).results
    try:
        return read_yaml(path) if path.is_file() and not path.is_symlink() else {}
    except Damaged:
        return {}


def _created(journal: Path, most: int | None = None) -> Iterator[bytes]:
    """The lines that add a trial, in order of the trials' numbers; ``most`` lines are read."""
    with journal.open("rb") as lines:
        yield from (line for line in islice(lines, most) if _CREATED.match(line))
