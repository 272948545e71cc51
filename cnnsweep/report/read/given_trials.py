"""The trials of a search whose settings were given to it, not drawn: the default config, others."""

import re
from collections.abc import Iterator
from itertools import islice, takewhile
from pathlib import Path

from cnnsweep.folders.sweep_folder import DEFAULT_TRIAL, IS_DEFAULT, SweepFolder
from cnnsweep.report.read.safe_io import Damaged, read_yaml
from cnnsweep.report.read.sweeps import Sweep

_LARGEST = 256 << 20
_CREATED = re.compile(rb'\{"op_code":\s*4,')  # a line of Optuna's journal that adds a trial
_GIVEN = b'"fixed_params"'  # in such a line where the trial was enqueued with settings
_DEFAULT = f'"{IS_DEFAULT}"'.encode()  # in such a line of the trial that is it
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


def default_trial(sweep: Sweep) -> int | None:
    """The number of the trial that is the config without the search; None where it is none.

    The results have it, or else the study's journal, where it is enqueued before any that is drawn.
    """
    try:
        number = read_yaml(SweepFolder(sweep.folder).results).get(DEFAULT_TRIAL)
    except Damaged:
        number = None
    if isinstance(number, int):
        return number
    journal = sweep.journal
    created = iter(()) if journal is None else _created(journal, _MOST_LINES)
    given = takewhile(lambda line: _GIVEN in line, created)
    return next((number for number, line in enumerate(given) if _DEFAULT in line), None)


def _created(journal: Path, most: int | None = None) -> Iterator[bytes]:
    """The lines that add a trial, in order of the trials' numbers; ``most`` lines are read."""
    with journal.open("rb") as lines:
        yield from (line for line in islice(lines, most) if _CREATED.match(line))
