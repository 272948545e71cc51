"""Seeds within searches: how much either of them moves a metric, and the chance to beat another.

The model: a value is a mean, plus what a search's luck adds, plus what a seed's adds; both normal.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from statistics import fmean, harmonic_mean

import numpy as np
import numpy.typing as npt
from scipy import special

from cnnsweep.report.stats.intervals import ALPHA, mean_deviation, pooled_variance

_BETWEEN, _WITHIN = 64, 16  # points of the two distributions that are summed over
# Degrees of freedom found from a few searches are too many on average: in the deviation that δ is
# measured in, this share of what they exceed the smaller network's by is believed.
_TRUSTED = 0.75
_FARTHEST = 12.0  # standard deviations between two networks: the probability is 1 there
_HALVINGS = 40
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Nested:
    """Runs of several searches of one choice, in the metric's unit."""

    means: list[float]  # of each search
    seeds: float  # runs of a search; the harmonic mean where they are not equal
    within: float | None  # variance of the runs of one search; None where each has one
    freedom: int  # degrees of it

    @property
    def searches(self) -> int:
        """How many searches there are."""
        return len(self.means)

    @property
    def mean(self) -> float:
        """The mean of the searches' means."""
        return fmean(self.means)

    @property
    def of_means(self) -> float:
        """The variance of the searches' means: that of searches, and what seeds leave in a mean."""
        return (mean_deviation(self.means)[1] or 0.0) ** 2

    @property
    def inner(self) -> float:
        """What to add to ``of_means`` to estimate the variance of single runs without bias."""
        return (1 - 1 / self.seeds) * (self.within or 0.0)

    @property
    def of_seeds(self) -> float | None:
        """Standard deviation of the runs of one search."""
        return None if self.within is None else math.sqrt(self.within)

    @property
    def of_searches(self) -> float | None:
        """Standard deviation between searches, seeds' part taken out; 0 where that is all of it."""
        if self.within is None:
            return None
        return math.sqrt(max(0.0, self.of_means - self.within / self.seeds))

    @property
    def deviation(self) -> float:
        """Standard deviation of a run with a new seed after a new search."""
        if self.of_searches is None or self.of_seeds is None:
            return math.sqrt(self.of_means)
        return math.hypot(self.of_searches, self.of_seeds)


def nested_of(values: Sequence[Sequence[float]]) -> Nested | None:
    """From the values of each search; None for fewer than two searches."""
    if len(values) < 2:
        return None
    within, freedom = pooled_variance(values)
    seeds = harmonic_mean([len(own) for own in values])
    return Nested([fmean(own) for own in values], seeds, within, freedom)


@dataclass(frozen=True, slots=True)
class Chance:
    """The probability that one network beats another, and its 95 % interval."""

    value: float
    low: float
    high: float


def chance(first: Nested, second: Nested, sign: int) -> Chance | None:
    """The probability that ``first`` beats ``second`` where each is searched and trained anew.

    That is Φ(δ), δ the difference of the means over the deviation of a difference of two new runs.
    Its interval is a generalized one (Weerahandi 1993): δ computed from the distributions that the
    difference and both sums of variances have given what was seen, the degrees of freedom of the
    sums being those of Welch and Satterthwaite (fewer in the deviation: _TRUSTED). It excludes 0.5
    just where Welch's test of the searches' means has p < 0.05. Simulated coverage:
    docs/recorded_tests.md.

    Args:
        first: values of one network.
        second: values of the other.
        sign: -1 where less is better.

    Returns:
        None where the searches' means do not vary.
    """
    known = Standardised(first, second, sign)
    if known.outer <= 0:
        return None
    levels = np.array([ALPHA / 2, 0.5, 1 - ALPHA / 2])
    low, high = np.full(3, -_FARTHEST), np.full(3, _FARTHEST)
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        below = known.distribution(middle) < levels
        low, high = np.where(below, middle, low), np.where(below, high, middle)
    ends = special.ndtr((low + high) / 2)
    return Chance(float(ends[1]), float(ends[0]), float(ends[2]))


class Standardised:
    """What two networks' runs tell of δ, see ``chance``."""

    def __init__(self, first: Nested, second: Nested, sign: int) -> None:
        both = (first, second)
        self.difference = sign * (first.mean - second.mean)
        self.outer = sum(one.of_means for one in both)
        errors = [one.of_means / one.searches for one in both]
        freedom = _freedom(errors, [one.searches - 1 for one in both])
        fewest = min(one.searches for one in both) - 1
        lower = _TRUSTED * freedom + (1 - _TRUSTED) * fewest
        factors = _inverse_chi(freedom, _BETWEEN)[:, None]
        wider = _inverse_chi(lower, _BETWEEN)[:, None]
        inner = [one.inner for one in both]
        of_inner = _freedom(inner, [one.freedom for one in both])
        self.error = np.sqrt(sum(errors) * factors)
        within = sum(inner) * _inverse_chi(of_inner, _WITHIN) if of_inner else 0.0
        self.total = np.sqrt(self.outer * wider + within)

    def distribution(self, ends: Floats) -> Floats:
        """How probable it is that δ is less than each of ``ends``."""
        apart = (ends[:, None, None] * self.total - self.difference) / self.error
        below: Floats = special.ndtr(apart).mean(axis=(1, 2))
        return below


def _freedom(variances: Sequence[float], freedoms: Sequence[int]) -> float:
    """Degrees of freedom of a sum of variances (Satterthwaite 1946); 0 where all are 0."""
    parts = sum(v * v / f for v, f in zip(variances, freedoms, strict=True) if f)
    return sum(variances) ** 2 / parts if parts else 0.0


def _inverse_chi(freedom: float, points: int) -> Floats:
    """What a variance may be in units of its estimate: one value for each of equal chances."""
    gamma: Floats = special.gammaincinv(freedom / 2, _middles(points))
    return freedom / (2 * gamma)


@cache
def _middles(points: int) -> Floats:
    middles: Floats = (np.arange(points) + 0.5) / points
    return middles
