"""Who is told of each epoch of the run in this process: nobody, or a sweep's trial.

A module attribute, since a context variable is lost in threads and cannot be pickled.
"""

from collections.abc import Mapping
from typing import Protocol


class Pruned(Exception):
    """Raised by a reporter: the run is losing and ends here, which is a good outcome."""


class Listener(Protocol):
    """Hears of every epoch; epochs that a run going on has behind it are told again, in order."""

    def epoch_ended(self, epoch: int, figures: Mapping[str, float | int | None]) -> None:
        """``figures`` is the epoch's row of metrics.csv. Raises Pruned to end the run."""


current: Listener | None = None
