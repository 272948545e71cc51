"""What each trial may still reach, judged by its own curve and by those of the others."""

from collections.abc import Sequence
from math import inf, log2, sqrt
from statistics import median

from cnnsweep.sweep.freeze_thaw.curve import Curve

_SLOPE = 0.4  # of the gain in the last doubling of epochs, expected in each doubling to come
_RISEN = 0.1  # of the way from the starting level to the leader: from there on a trial learns
_MANY = 0.25  # of all trials must learn before their levels tell anything
_FLOOR = 0.25  # quantile of the first values that is taken for the starting level
_NORMAL = 0.6745 * sqrt(2)  # the median size of a difference of two normal numbers, in sigmas


class Outlook:
    """The curves of a search side by side. All figures move with the values' unit and origin.

    ``hopes``: what a trial may reach at its end: its best so far, what curves that bend as learning
    curves do may gain in the epochs that it has left, and the noise of its few values.
    """

    def __init__(self, curves: Sequence[Curve]) -> None:
        self._known = [curve for curve in curves if curve.can_win]
        firsts = sorted(curve.values[0] for curve in self._known)
        self.start = firsts[int(_FLOOR * (len(firsts) - 1))]
        self.top = max(curve.best for curve in self._known)
        self._learning = self.start + _RISEN * (self.top - self.start)
        self.noise = _noise(self._known)
        self._onsets = {curve.number: self._onset(curve) for curve in self._known}
        self.hopes = {curve.number: self._hope(curve) for curve in self._known}

    @property
    def says_nothing(self) -> bool:
        """Whether so few trials have left the starting level that levels can't be compared."""
        risen = [onset for onset in self._onsets.values() if onset is not None]
        return self.top <= self.start or len(risen) < _MANY * len(self._known)

    @property
    def is_late(self) -> bool:
        """Whether trials that began to learn late are among the better half of those that learn."""
        risen = [c for c in self._known if self._onsets[c.number] is not None]
        late = [c.best for c in self._late()]
        return bool(late) and max(late) >= median(curve.best for curve in risen)

    @property
    def is_noisy(self) -> bool:
        """Whether the noise of a value is no small part of what the trials differ in."""
        return self.noise > 0.25 * (self.top - median(curve.best for curve in self._known))

    def _onset(self, curve: Curve) -> int | None:
        return next((i for i, value in enumerate(curve.values) if value > self._learning), None)

    def _late(self) -> list[Curve]:
        return [curve for curve in self._known if self._onsets[curve.number]]

    def _hope(self, curve: Curve) -> float:
        done, best = len(curve.values), curve.best
        if done >= curve.epochs:
            return best
        before = max(curve.values[: done // 2], default=min(self.start, best))
        doublings = log2(done / (done // 2)) if done > 1 else 1.0
        gain = (best - before) / doublings * log2(curve.epochs / done)
        hope = best + _SLOPE * gain + self.noise / sqrt(done)
        if self._onsets[curve.number] is None:
            hope = max(hope, self._hope_of_rising(curve.epochs - 2 * done))
        return hope

    def _hope_of_rising(self, left: int) -> float:
        """What the best of those that learn had reached after ``left`` epochs of learning.

        A trial that has waited for some epochs is taken to wait for as many more; and none is
        taken to rise where none was seen to rise late.
        """
        if left < 1 or not any(self._onsets.values()):
            return -inf
        onsets = ((curve, self._onsets[curve.number]) for curve in self._known)
        return max(max(curve.values[: at + left]) for curve, at in onsets if at is not None)


def _noise(curves: Sequence[Curve]) -> float:
    """The deviation of a value, from the differences of neighbours in later halves of good curves."""
    middle = median(curve.best for curve in curves)
    steps = [
        abs(after - before)
        for curve in curves
        if curve.best >= middle and len(curve.values) > 2
        for before, after in zip(
            curve.values[len(curve.values) // 2 - 1 :], curve.values[len(curve.values) // 2 :]
        )
    ]
    return median(steps) / _NORMAL if steps else 0.0
