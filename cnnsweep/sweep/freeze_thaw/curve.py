"""A trial as the rule sees it."""

from dataclasses import dataclass
from functools import cached_property
from typing import Literal


@dataclass(frozen=True)
class Curve:
    """The epochs of a trial so far.

    ``running``: some worker trains its next epoch now. ``over``: it will train no more; with all
    its epochs it was completed, with fewer it failed and can't win. (A completed trial that ended
    early is given with as many ``epochs`` as it has values.)
    """

    number: int
    values: tuple[float, ...]  # the objective after each epoch; larger is better
    epochs: int  # of the whole trial
    state: Literal["paused", "running", "over"]

    @cached_property
    def best(self) -> float:
        return max(self.values)

    @property
    def spent(self) -> int:
        """Epochs trained, and the one in training."""
        return len(self.values) + (self.state == "running")

    @property
    def can_win(self) -> bool:
        return bool(self.values) and (self.state != "over" or len(self.values) >= self.epochs)
