"""How many epochs may be spent, and how many of them the winner needs."""

from collections.abc import Sequence
from math import floor

from .curve import Curve


def least_epochs(trials: int, epochs: int, min_epochs: int) -> int:
    """What ``min_epochs`` for every trial and all epochs for one of them come to."""
    least = min(min_epochs, epochs)
    return trials * least + epochs - least if trials else 0


def all_epochs(curves: Sequence[Curve], unbegun: int, epochs: int) -> int:
    """What a search spends that pauses nothing."""
    return sum(curve.epochs for curve in curves) + unbegun * epochs


def allowed_epochs(share: float, curves: Sequence[Curve], unbegun: int, epochs: int) -> int:
    return floor(share * all_epochs(curves, unbegun, epochs) + 1e-6)


def leader_of(curves: Sequence[Curve]) -> Curve | None:
    """Whose best value is the greatest; of equals the one with the most epochs, then the first."""
    able = [curve for curve in curves if curve.can_win]
    return max(able, key=lambda c: (c.best, len(c.values), -c.number), default=None)


class Reserve:
    """Keeps back what every trial's ``min_epochs`` and whoever may yet win need."""

    def __init__(self, curves: Sequence[Curve], unbegun: int, epochs: int, min_epochs: int) -> None:
        self.min_epochs = min_epochs
        going = [curve for curve in curves if curve.state != "over"]
        young = [
            curve for curve in going if curve.spent < min_epochs and curve.spent < curve.epochs
        ]
        least = min(min_epochs, epochs)
        self.spent = sum(curve.spent for curve in curves)
        self.owed = unbegun * least + sum(min(min_epochs, c.epochs) - c.spent for c in young)
        leader = leader_of(curves)
        may_win = [*young, *(c for c in going if c.state == "running" or c is leader)]
        self.to_the_end = max(
            [epochs - least if unbegun else 0, *(self._beyond(curve, 0) for curve in may_win)]
        )

    def _beyond(self, curve: Curve, more: int) -> int:
        """The epochs that a trial lacks beyond its least, were it given ``more``."""
        return max(0, curve.epochs - max(curve.spent + more, self.min_epochs))

    def after(self, curve: Curve) -> int:
        """The epochs that will be spent at least, if this trial gets the next one and then wins."""
        return self.spent + 1 + self.owed + max(self.to_the_end, self._beyond(curve, 1))
