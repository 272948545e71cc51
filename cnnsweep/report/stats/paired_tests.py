"""Whether two groups differ: tests on paired runs, on unpaired runs, and on test images.

The distributions are SciPy's special functions: ``scipy.stats`` gives the same p-values (a test
checks it), but takes 0.8 s of CPU to import and twenty times as long for each pair.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import special

from cnnsweep.report.stats.intervals import mean_deviation, t_quantile


@dataclass(frozen=True, slots=True)
class Difference:
    """First minus second: mean, half-width of its 95 % interval, p-value, standardised effect."""

    kind: str
    n: int  # pairs, or runs of the smaller group
    mean: float
    half_width: float | None
    p: float | None  # two-sided; None where nothing can be said
    effect: float | None  # in deviations: d_z of paired runs, Hedges' g of unpaired ones


def paired_t(first: Sequence[float], second: Sequence[float]) -> Difference:
    """Student's test of paired values, such as those of the same seeds."""
    differences = np.asarray(first, dtype=float) - np.asarray(second, dtype=float)
    mean, deviation = mean_deviation(differences.tolist())
    n = len(differences)
    if deviation is None or _is_rounding(deviation, mean):
        return Difference("paired t", n, mean, None, None, None)
    error = deviation / math.sqrt(n)
    return Difference(
        "paired t",
        n,
        mean,
        t_quantile(n - 1) * error,
        _two_sided(mean / error, n - 1),
        mean / deviation,
    )


def welch_t(first: Sequence[float], second: Sequence[float]) -> Difference:
    """Welch's test of two groups without common seeds; neither equal sizes nor equal spreads."""
    (m1, s1), (m2, s2) = mean_deviation(first), mean_deviation(second)
    n1, n2 = len(first), len(second)
    n, mean = min(n1, n2), m1 - m2
    if s1 is None or s2 is None or _is_rounding(max(s1, s2), mean):
        return Difference("Welch t", n, mean, None, None, None)
    v1, v2 = s1**2 / n1, s2**2 / n2
    error = math.sqrt(v1 + v2)
    freedom = (v1 + v2) ** 2 / (v1**2 / (n1 - 1) + v2**2 / (n2 - 1))
    pooled = math.sqrt(((n1 - 1) * s1**2 + (n2 - 1) * s2**2) / (n1 + n2 - 2))
    effect = mean / pooled * (1 - 3 / (4 * (n1 + n2) - 9))
    return Difference(
        "Welch t", n, mean, t_quantile(freedom) * error, _two_sided(mean / error, freedom), effect
    )


def mcnemar_exact(only_first: int, only_second: int) -> float:
    """McNemar's exact test: of the images that one of two networks gets right, is it half each?

    Args:
        only_first: images that only the first network gets right.
        only_second: images that only the second one gets right.
    """
    total = only_first + only_second
    if total == 0:
        return 1.0
    return min(1.0, 2 * float(special.bdtr(min(only_first, only_second), total, 0.5)))


def combine(p_values: Sequence[float]) -> float:
    """One p-value from several that depend on each other in any way: twice their median.

    Source: Rüger 1978; Vovk and Wang, Biometrika 2020. A single one stays as it is.
    """
    if len(p_values) == 1:
        return p_values[0]
    return min(1.0, 2 * float(np.median(p_values)))


def holm(p_values: Sequence[float]) -> list[float]:
    """Holm's correction: each p-value as if it were the only one (Holm 1979)."""
    order = sorted(range(len(p_values)), key=p_values.__getitem__)
    corrected, so_far = [0.0] * len(p_values), 0.0
    for rank, index in enumerate(order):
        so_far = max(so_far, min(1.0, (len(p_values) - rank) * p_values[index]))
        corrected[index] = so_far
    return corrected


def _two_sided(t: float, freedom: float) -> float:
    return 2 * float(special.stdtr(freedom, -abs(t)))


def _is_rounding(deviation: float, mean: float) -> bool:
    """Whether values are all equal but for their last bit: a t-test would divide by that bit."""
    return deviation <= 1e-12 * max(abs(mean), 1e-3)
