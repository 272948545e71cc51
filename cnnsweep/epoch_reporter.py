"""Who is told of each epoch of the run in this process: nobody, or a sweep's trial.

A module attribute, since a context variable is lost in threads and cannot be pickled.
"""

from collections.abc import Mapping
from typing import Protocol


class Pruned(Exception):
    """Raised by a reporter: the run is losing and ends here, which is a good outcome."""


class EpochReporter(Protocol):
    """Is told of every epoch; a resumed run reports those it has behind it again, in order."""

    def epoch_ended(self, epoch: int, metrics: Mapping[str, float | int | None]) -> None:
        """``metrics`` is the epoch's row of metrics.csv. Raises Pruned to end the run."""


current: EpochReporter | None = None
