"""Which epoch is the best so far, and whether it is time to stop."""

from collections.abc import Mapping
from typing import Any

Row = Mapping[str, float | int | None]


class Score:
    """Follows one figure of each epoch; without one, the last epoch counts as the best.

    ``patience`` epochs in a row that are not better by more than ``min_delta`` end a run; None
    never does. The best epoch itself is the first with the best figure, ``min_delta`` or not.
    """

    def __init__(
        self, figure: str | None, *, is_higher_better: bool, patience: int | None, min_delta: float
    ) -> None:
        self._figure = figure
        self._sign = 1.0 if is_higher_better else -1.0
        self._patience = patience
        self._min_delta = min_delta
        self.best_epoch = 0
        self._best = float("-inf")
        self._reference = float("-inf")
        self._stale_epochs = 0

    def epoch_ended(self, row: Row) -> bool:
        """Whether this epoch is the best so far."""
        if self._figure is None:
            self.best_epoch = int(row["epoch"] or 0)
            return True
        value = row[self._figure]
        assert value is not None
        score = self._sign * value
        if score > self._reference + self._min_delta:
            self._reference, self._stale_epochs = score, 0
        else:
            self._stale_epochs += 1
        if score <= self._best:
            return False
        self._best, self.best_epoch = score, int(row["epoch"] or 0)
        return True

    @property
    def is_out_of_patience(self) -> bool:
        return self._patience is not None and self._stale_epochs >= self._patience

    def state_dict(self) -> dict[str, Any]:
        return {
            "best_epoch": self.best_epoch,
            "best": self._best,
            "reference": self._reference,
            "stale_epochs": self._stale_epochs,
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.best_epoch = state["best_epoch"]
        self._best = state["best"]
        self._reference = state["reference"]
        self._stale_epochs = state["stale_epochs"]
