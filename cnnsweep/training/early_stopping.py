"""Which epoch is the best so far, and whether it is time to stop."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

Row = Mapping[str, float | int | None]  # an epoch's line of metrics.csv
_STATE = ("best_epoch", "best", "reference", "stale_epochs")


@dataclass
class Score:
    """Follows one metric of each epoch; without one, the last epoch counts as the best.

    ``patience`` epochs in a row that are not better than ``reference`` by more than ``min_delta``
    end a run; None never does. The best epoch is the first one with the best metric, whatever
    ``min_delta`` is. ``best`` and ``reference`` are negated where a lower metric is better.
    """

    metric: str | None
    is_higher_better: bool
    patience: int | None
    min_delta: float
    best_epoch: int = 0
    best: float = float("-inf")
    reference: float = float("-inf")
    stale_epochs: int = 0

    def epoch_ended(self, row: Row) -> bool:
        """Whether this epoch is the best so far."""
        if self.metric is None:
            self.best_epoch = int(row["epoch"] or 0)
            return True
        value = row[self.metric]
        assert value is not None
        score = value if self.is_higher_better else -value
        if score > self.reference + self.min_delta:
            self.reference, self.stale_epochs = score, 0
        else:
            self.stale_epochs += 1
        if score <= self.best:
            return False
        self.best, self.best_epoch = score, int(row["epoch"] or 0)
        return True

    @property
    def is_out_of_patience(self) -> bool:
        return self.patience is not None and self.stale_epochs >= self.patience

    def state_dict(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in _STATE}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        for name in _STATE:
            setattr(self, name, state[name])
