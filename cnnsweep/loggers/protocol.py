"""What a tracker is told. metrics.csv and the pictures are written with or without one."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from cnnsweep.run_folder import RunFolder

Row = Mapping[str, float | int | None]


class Logger(Protocol):
    """Made with ``folder``, the run's Path."""

    def started(self, history: Sequence[Row]) -> None:
        """The run begins, or goes on after these epochs: they stand, whatever was told before."""

    def epoch_ended(self, row: Row) -> None:
        """``row`` is the epoch's line of metrics.csv."""

    def ended(self, result: Mapping[str, Any], folder: RunFolder) -> None:
        """``result`` is what result.json will hold; the pictures are drawn."""
