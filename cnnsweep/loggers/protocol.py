"""What a tracker is told. metrics.csv and the pictures are written with or without one."""

from collections.abc import Mapping
from typing import Any, Protocol

from cnnsweep.run_folder import RunFolder


class Logger(Protocol):
    """Made with ``folder``, the run's Path."""

    def started(self, epochs_behind: int) -> None:
        """The run begins, or goes on after so many epochs: what came later must be forgotten."""

    def epoch_ended(self, row: Mapping[str, float | int | None]) -> None:
        """``row`` is the epoch's line of metrics.csv."""

    def ended(self, result: Mapping[str, Any], folder: RunFolder) -> None:
        """``result`` is what result.json will hold; the pictures are drawn."""
