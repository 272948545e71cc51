"""Mean, deviation and 95 % interval of a few runs."""

import math
from collections.abc import Sequence
from statistics import fmean

import numpy as np
from scipy import special

ALPHA = 0.05  # intervals are at 1 - ALPHA
FEWEST = 3  # values below which there is neither an interval nor a verdict
Interval = tuple[float, float]


def mean_deviation(values: Sequence[float]) -> tuple[float, float | None]:
    """Mean and sample deviation (n − 1); None for the deviation of a single value."""
    array = np.asarray(values, dtype=float)
    return float(array.mean()), float(array.std(ddof=1)) if len(array) > 1 else None


def pooled_variance(groups: Sequence[Sequence[float]]) -> tuple[float | None, int]:
    """The variance within groups that may differ in their means, and its degrees of freedom.

    The mean square within groups of a one-way analysis of variance; None where no group has two
    values.
    """
    freedom = sum(len(group) - 1 for group in groups)
    if freedom < 1:
        return None, 0
    squares = (math.fsum((v - fmean(group)) ** 2 for v in group) for group in groups)
    return math.fsum(squares) / freedom, freedom


def t_interval(values: Sequence[float]) -> Interval | None:
    """Student's interval of the mean; None for fewer than FEWEST values.

    It takes the values as independent and about normal, as the metrics of several seeds are.
    """
    mean, deviation = mean_deviation(values)
    half = half_width(deviation, len(values))
    return None if half is None else (mean - half, mean + half)


def half_width(deviation: float | None, n: int, alpha: float = ALPHA) -> float | None:
    """Half of Student's interval of a mean, which is what ± means; None for fewer than FEWEST.

    Args:
        deviation: the sample deviation of single values.
        n: how many values the mean has.
        alpha: one minus the interval's confidence.
    """
    if deviation is None or n < FEWEST:
        return None
    return t_quantile(n - 1, alpha) * deviation / math.sqrt(n)


def bootstrap_interval(values: Sequence[float]) -> Interval | None:
    """The bias-corrected accelerated bootstrap's interval (Efron 1987); None below FEWEST values.

    It does not assume normal values, but is too narrow for a handful of them.
    """
    if len(values) < FEWEST:
        return None
    if len(set(values)) == 1:
        return values[0], values[0]
    # Imported here: it takes 0.8 s of CPU, and other reports do without.
    from scipy.stats import bootstrap

    found = bootstrap((values,), np.mean, confidence_level=1 - ALPHA, rng=0).confidence_interval
    return float(found.low), float(found.high)


def t_quantile(freedom: float, alpha: float = ALPHA) -> float:
    """Standard errors from the mean to either end of an interval; ``freedom``: degrees of it."""
    return float(special.stdtrit(freedom, 1 - alpha / 2))
