"""The trials of a search whose settings were given to it, not drawn."""

import re
from pathlib import Path

from cnnsweep.report.read.sweeps import Sweep

_LARGEST = 256 << 20
_CREATED = re.compile(rb'\{"op_code":\s*4,')  # a line of Optuna's journal that adds a trial
_GIVEN = b'"fixed_params"'  # in such a line where the trial was enqueued with settings


def given_trials(sweep: Sweep) -> set[int]:
    """Numbers of the trials that were enqueued, such as the default config.

    Where the study's journal is not in the folder, trial 0 counts as one unless the sweep's
    settings say that it was drawn: to leave out a draw by its number alone changes nothing.
    """
    journal = sweep.journal
    if journal is None or journal.stat().st_size > _LARGEST:
        return {0} if sweep.default_first else set()
    return _enqueued(journal)


def _enqueued(journal: Path) -> set[int]:
    with journal.open("rb") as lines:
        created = (line for line in lines if _CREATED.match(line))
        return {number for number, line in enumerate(created) if _GIVEN in line}
