"""The best of k independent trials: its expectation and median, with confidence bands by opda.

Dodge et al. 2019 ("Show your work") estimate the expectation from the trials of one random search;
Lourie, Cho and He 2024 ("Show your work with confidence") give bands that hold for all k at once.
"""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Literal

import numpy as np
import numpy.typing as npt

from cnnsweep.report.stats.intervals import ALPHA, mean_deviation, t_quantile

MOST_EXACT = 100  # trials beyond which the exact band takes many seconds and much memory
_STEPS = 60  # of a curve
Curve = Literal["expected", "median"]
Array = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Trials:
    """What independent trials came to; ``is_share``: no value is below 0 or above 1."""

    values: Sequence[float]
    seconds: Sequence[float]
    maximize: bool
    is_share: bool

    @property
    def mean_seconds(self) -> float:
        """What a trial costs on average."""
        return float(np.mean(self.seconds))


@dataclass(frozen=True, slots=True)
class Band:
    """A curve over ``budget`` and the ends of its band; infinite where nothing is known."""

    budget: Array
    low: Array
    point: Array
    high: Array


def over_trials(trials: Trials, curve: Curve, budgets: Sequence[float] | None = None) -> Band:
    """The best of k trials, for k up to as many as there are.

    The band covers the whole curve with 95 % probability or more. That of the expectation needs
    values with bounds (``is_share``): without any, no data can exclude a rare and huge one.
    """
    n = len(trials.values)
    k = np.asarray(np.geomspace(1, n, _STEPS) if budgets is None else budgets, dtype=float)
    lower, point, upper = _distributions(trials, ALPHA)
    return Band(k, *(_curve(one, curve, k, trials) for one in (lower, point, upper)))


def over_seconds(trials: Trials, curve: Curve, budgets: Sequence[float] | None = None) -> Band:
    """The best of as many trials as ``budget`` seconds pay for at a trial's mean cost.

    The cost is estimated too: half of the 5 % goes to the band over trials, half to Student's
    interval of the mean cost, and the band holds wherever both do (Bonferroni).
    """
    n, cost = len(trials.values), trials.mean_seconds
    _, deviation = mean_deviation(trials.seconds)
    half = t_quantile(n - 1, ALPHA / 2) * (deviation or 0.0) / np.sqrt(n)
    grid = np.geomspace(1, n, _STEPS) * cost if budgets is None else budgets
    seconds = np.asarray(grid, dtype=float)
    lower, point, upper = _distributions(trials, ALPHA / 2)
    dear, cheap = _at(seconds, cost + half), _at(seconds, cost - half)
    at_low, at_high = (dear, cheap) if trials.maximize else (cheap, dear)
    return Band(
        seconds,
        _curve(lower, curve, at_low, trials),
        _curve(point, curve, seconds / cost, trials),
        _curve(upper, curve, at_high, trials),
    )


def _at(seconds: Array, cost: float) -> Array:
    """How many trials the seconds pay for; where the cost may be nothing, any number."""
    return seconds / cost if cost > 0 else np.full_like(seconds, 1e9)


def _distributions(trials: Trials, alpha: float) -> tuple[object, object, object]:
    """Distributions of a trial's value: the lowest in the band, the empirical one, the highest.

    The band is that of Learned-Miller and DeStefano; beyond ``MOST_EXACT`` trials Kolmogorov's and
    Smirnov's, which is wider at the ends.
    """
    # Imported here: with scipy.stats it takes half a second, and few reports have such a search.
    from opda.nonparametric import EmpiricalDistribution

    n = len(trials.values)
    low, high = (0.0, 1.0) if trials.is_share else (-np.inf, np.inf)
    with warnings.catch_warnings():
        # Of equal values, which images that can be counted bring about: the bands are wider then.
        warnings.filterwarnings("ignore", "Duplicates detected", RuntimeWarning)
        highest, point, lowest = EmpiricalDistribution.confidence_bands(
            np.asarray(trials.values, dtype=float), 1 - alpha, low, high, n_jobs=1,
            method="ld_equal_tailed" if n <= MOST_EXACT else "ks", generator=_generator(n, alpha),
        )  # fmt: skip
    return lowest, point, highest


@cache
def _generator(n: int, alpha: float) -> np.random.Generator:
    """One for each pair, so that opda simulates once for all searches of this size."""
    return np.random.default_rng([n, round(1e6 * alpha)])


def _curve(distribution: object, curve: Curve, k: Array, trials: Trials) -> Array:
    name = "average_tuning_curve" if curve == "expected" else "quantile_tuning_curve"
    found: Array = getattr(distribution, name)(k, minimize=not trials.maximize)
    return found
