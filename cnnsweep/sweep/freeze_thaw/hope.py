"""What each trial may still reach, judged by its own curve and by those of the others."""

from collections.abc import Sequence
from itertools import accumulate, pairwise
from math import ceil, inf, log2, sqrt
from statistics import median

from cnnsweep.sweep.freeze_thaw.curve import Curve

_SLOPE = 0.25  # of the gain in the last doubling of epochs, expected in each doubling to come
_DOUBT = 1.0  # deviations of the mean of its values that a trial is given
_RISEN = 0.1  # of the way from the starting level to the leader: from there on a trial learns
_MANY = 0.25  # of all trials must learn before their levels tell anything
_PATIENCE = 0.2  # of a trial's epochs, at most, for all trials, until that many learn
_NOISY = 0.15  # of the way from the median trial to the leader: less noise decides nothing
_STEPS = 250  # from the starting level to the top: an accuracy in fewer is one of few images
_FENCE = 1.5  # quartile distances (Tukey's): a first value below is no starting level
_SAME, _WHOLE = 1e-6, 0.05  # of the range, of a step: what rounding may come to
_NORMAL = 0.6745 * sqrt(2)  # the median size of a difference of two normal numbers, in sigmas


class Outlook:
    """The curves of a search side by side. All figures move with the values' unit and origin.

    ``hopes``: what a trial may reach at its end: its best so far, what curves that bend as learning
    curves do may gain in the epochs that it has left, and the noise of its few values.
    """

    def __init__(self, curves: Sequence[Curve]) -> None:
        self.trials = len(curves)
        self._known = [curve for curve in curves if curve.can_win]
        firsts = sorted(curve.values[0] for curve in self._known)
        low, high = firsts[len(firsts) // 4], firsts[3 * len(firsts) // 4]
        self.start = max(firsts[0], low - _FENCE * (high - low))
        self.top = max(curve.best for curve in self._known)
        self._learning = self.start + _RISEN * (self.top - self.start)
        self.noise = _noise(self._known)
        self._onsets = {curve.number: self._onset(curve) for curve in self._known}
        seconds = [_gain_of_doubling(c, 2) for c in self._known if len(c.values) > 1]
        self._first_gain = median(seconds) if seconds else 0.0  # what others gained in the second
        self._learned = self._best_after_learning()
        self.hopes = {curve.number: self._hope(curve) for curve in self._known}

    @property
    def says_nothing(self) -> bool:
        """Whether too few trials have left the starting level for comparing them.

        Judged after as many epochs as every trial has had; some may never learn, so that after a
        fifth of all epochs it is taken for enough.
        """
        going = [curve for curve in self._known if curve.state != "over"]
        least = min((len(curve.values) for curve in going), default=0)
        if not going or self.top <= self.start:
            return bool(going)
        is_enough = least >= ceil(_PATIENCE * max(curve.epochs for curve in going))
        return not is_enough and self._share_that_learns(least) < _MANY

    @property
    def is_late(self) -> bool:
        """Whether first epochs tell little of the end.

        Few learned in the first, or of those that began later one is in the better half.
        """
        if self._share_that_learns(1) < _MANY:
            return True
        learning = [c for c in self._known if self._onsets[c.number] is not None]
        late = [c.best for c in learning if self._onsets[c.number]]
        return bool(late) and max(late) >= median(curve.best for curve in learning)

    @property
    def is_noisy(self) -> bool:
        """Whether the noise of a value is no small part of what the trials differ in."""
        spread = self.top - median(curve.best for curve in self._known)
        return self.noise > _NOISY * spread

    @property
    def is_coarse(self) -> bool:
        """Whether values come in large steps, as the accuracy of few images does.

        How trials differ is then chance in large part, and first epochs tell less of it.
        """
        values = sorted({value for curve in self._known for value in curve.values})
        least = (values[-1] - values[0]) * _SAME
        gaps = [b - a for a, b in pairwise(values) if b - a > least]
        if not gaps or min(gaps) * _STEPS < self.top - self.start:
            return False
        return all(abs(gap / min(gaps) - round(gap / min(gaps))) < _WHOLE for gap in gaps)

    def may_win_by_noise(self, curve: Curve) -> bool:
        return self.is_noisy and self.hopes[curve.number] + self.noise > self.top

    def _onset(self, curve: Curve) -> int | None:
        return next((i for i, value in enumerate(curve.values) if value > self._learning), None)

    def _share_that_learns(self, after: int) -> float:
        learning = [max(c.values[:after]) > self._learning for c in self._known]
        return sum(learning) / len(learning)

    def _hope(self, curve: Curve) -> float:
        done, best = len(curve.values), curve.best
        if done >= curve.epochs:
            return best
        gain = self._first_gain if done == 1 else _gain_of_doubling(curve)
        gain *= log2(curve.epochs / done)
        hope = best + _SLOPE * gain + _DOUBT * self.noise / sqrt(done)
        if best < (self.start + self.top) / 2:
            hope = max(hope, self._hope_of_rising(curve))
        return hope

    def _hope_of_rising(self, curve: Curve) -> float:
        """What the best trial had reached after the epochs of learning that this one will have.

        A trial that has waited for some epochs is taken to wait for as many more; and none is
        taken to rise where none was seen to rise late.
        """
        begun, done = self._onsets[curve.number], len(curve.values)
        left = curve.epochs - (2 * done if begun is None else begun)
        if left < 1 or not self._learned:
            return -inf
        return self._learned[min(left, len(self._learned)) - 1]

    def _best_after_learning(self) -> list[float]:
        """The best value after 1, 2, … epochs of learning; empty where none began late."""
        if not any(self._onsets.values()):
            return []
        begun = [(c, at) for c in self._known if (at := self._onsets[c.number]) is not None]
        longest = max(len(curve.values) - at for curve, at in begun)
        at_age = [
            max(curve.values[at + age] for curve, at in begun if at + age < len(curve.values))
            for age in range(longest)
        ]
        return list(accumulate(at_age, max))


def _gain_of_doubling(curve: Curve, done: int | None = None) -> float:
    """What the last doubling of its first ``done`` epochs has brought a trial, two or more."""
    done = len(curve.values) if done is None else done
    half = done // 2
    return (max(curve.values[:done]) - max(curve.values[:half])) / log2(done / half)


def _noise(curves: Sequence[Curve]) -> float:
    """The deviation of a value: by differences of neighbours in the later halves of good curves."""
    middle = median(curve.best for curve in curves)
    steps = [
        abs(after - before)
        for curve in curves
        if curve.best >= middle and len(curve.values) > 2
        for before, after in pairwise(curve.values[len(curve.values) // 2 - 1 :])
    ]
    return median(steps) / _NORMAL if steps else 0.0
