"""Where the run in this process reports its epochs: to its sweep; ``None`` for a single run.

A module attribute, since a context variable is lost in threads and cannot be pickled.
"""

from collections.abc import Callable, Mapping
from typing import Any, Protocol


class Ended(BaseException):
    """Raised by a reporter: the sweep ends this run early, which is no failure.

    A BaseException, as KeyboardInterrupt is: a training loop that catches errors lets it through.
    """

    status: str  # in result.json


class Pruned(Ended):
    """For good."""

    status = "pruned"


class Paused(Ended):
    """Other trials promise more by now; this one may go on later, from its checkpoint."""

    status = "paused"


class EpochReporter(Protocol):
    """Gets every epoch; a resumed run reports those that are already trained again, in order."""

    def epoch_ended(self, epoch: int, metrics: Mapping[str, float | int | None]) -> None:
        """``metrics`` is the epoch's row of metrics.csv. Raises Ended to end the run."""

    def note(self, line: str) -> None:
        """A line on the run's data that a person should read, once in a sweep."""


current: EpochReporter | None = None

together: Callable[[Any], Any] | None = None
"""Trains an epoch of a run, given its Trainer, with those of other runs in this process.

It returns what `Trainer.passes` would, or None where the run is to train this epoch by itself, as
it does where there is no such function.
"""
