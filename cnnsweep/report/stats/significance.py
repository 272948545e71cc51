"""Tests of two groups of runs, their corrections, and how many seeds a test needs.

The distributions are SciPy's special functions: ``scipy.stats`` gives the same p-values (a test
checks it), but takes 0.8 s of CPU to import and twenty times as long for each pair.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import special

from cnnsweep.report.stats.intervals import ALPHA, FEWEST, mean_deviation, t_quantile

POWER = 0.8
PAIRED = "paired t"
MOST_SEEDS = 1000


@dataclass(frozen=True, slots=True)
class Difference:
    """First minus second: mean, half-width of its 95 % interval, p-value, standardised effect.

    There is no interval of fewer than FEWEST pairs, or runs of the smaller group.
    """

    kind: str
    n: int  # pairs, or runs of the smaller group
    mean: float
    half_width: float | None = None
    p: float | None = None  # two-sided; None where no test can be made
    effect: float | None = None  # in deviations: d_z of paired runs, Hedges' g of unpaired ones
    single: float | None = None  # in deviations of the difference of two runs, not shrunk as g is
    error: float | None = None  # standard error of the mean
    freedom: float | None = None  # degrees of it


def paired_t(first: Sequence[float], second: Sequence[float]) -> Difference:
    """Student's test of paired values, such as those of the same seeds."""
    differences = np.asarray(first, dtype=float) - np.asarray(second, dtype=float)
    mean, deviation = mean_deviation(differences.tolist())
    n = len(differences)
    if deviation is None or _is_rounding(deviation, mean):
        return Difference(PAIRED, n, mean)
    effect = mean / deviation
    return _tested(PAIRED, n, mean, deviation / math.sqrt(n), n - 1, (effect, effect))


def welch_t(first: Sequence[float], second: Sequence[float]) -> Difference:
    """Welch's test of two groups without common seeds; neither equal sizes nor equal spreads."""
    (m1, s1), (m2, s2) = mean_deviation(first), mean_deviation(second)
    n1, n2 = len(first), len(second)
    n, mean = min(n1, n2), m1 - m2
    if s1 is None or s2 is None or _is_rounding(max(s1, s2), mean):
        return Difference("Welch t", n, mean)
    v1, v2 = s1**2 / n1, s2**2 / n2
    error = math.sqrt(v1 + v2)
    freedom = (v1 + v2) ** 2 / (v1**2 / (n1 - 1) + v2**2 / (n2 - 1))
    pooled = math.sqrt(((n1 - 1) * s1**2 + (n2 - 1) * s2**2) / (n1 + n2 - 2))
    effect = mean / pooled * (1 - 3 / (4 * (n1 + n2) - 9))
    return _tested("Welch t", n, mean, error, freedom, (effect, mean / math.hypot(s1, s2)))


def _tested(
    kind: str, n: int, mean: float, error: float, freedom: float, effects: tuple[float, float]
) -> Difference:
    p = 2 * float(special.stdtr(freedom, -abs(mean / error)))
    half = t_quantile(freedom) * error if n >= FEWEST else None
    return Difference(kind, n, mean, half, p, *effects, error, freedom)


def equivalence(difference: Difference, margin: float) -> float | None:
    """Schuirmann's two one-sided t-tests (1987): is the difference less than ``margin``?

    Returns:
        The larger of both p-values, below 0.05 just where the 90 % interval lies within
        ± ``margin``; None where the differences do not vary.
    """
    error, freedom = difference.error, difference.freedom
    if error is None or freedom is None:
        return None
    return float(special.stdtr(freedom, (abs(difference.mean) - margin) / error))


def mcnemar_exact(only_first: int, only_second: int) -> float:
    """McNemar's exact test: of the images that one of two networks gets right, is it half each?

    Args:
        only_first: images that only the first network gets right.
        only_second: images that only the second one gets right.
    """
    return mcnemar_of_seeds([(only_first, only_second)])


def mcnemar_of_seeds(counts: Sequence[tuple[int, int]]) -> float:
    """McNemar's exact test over several seeds: two-sided, of one direction in all of them.

    Each direction has a one-sided p-value a seed, combined in whatever way they depend on each
    other; the smaller of both counts twice. Seeds that contradict each other so prove nothing.

    Args:
        counts: for each seed the images that only the first network gets right, and only the other.
    """
    directions = (counts, [(second, first) for first, second in counts])
    return min(1.0, 2 * min(combine([_one_sided(*own) for own in way]) for way in directions))


def _one_sided(more: int, fewer: int) -> float:
    """How likely so few, or fewer, of the images that one network alone gets right."""
    total = more + fewer
    return float(special.bdtr(fewer, total, 0.5)) if total else 1.0


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


def _is_rounding(deviation: float, mean: float) -> bool:
    """Whether values are all equal but for their last bit: a t-test would divide by that bit."""
    return deviation <= 1e-12 * max(abs(mean), 1e-3)


def seeds_needed(effect: float, alpha: float = ALPHA) -> int | None:
    """Seeds at which a paired t-test finds an effect of this size four times in five.

    Args:
        effect: mean of the differences over their deviation (Cohen's d_z).
        alpha: level of the two-sided test.

    Returns:
        None where it takes more than MOST_SEEDS.
    """
    if effect == 0:
        return None
    sizes = np.arange(2, MOST_SEEDS + 1)
    quantile = special.stdtrit(sizes - 1, 1 - alpha / 2)
    shift = np.minimum(abs(effect) * np.sqrt(sizes), 30)  # beyond it the power is 1
    power = 1 - special.nctdtr(sizes - 1, shift, quantile)
    enough = np.flatnonzero(power >= POWER)
    return int(sizes[enough[0]]) if len(enough) else None


def expected_maximum(n: int) -> float:
    """The expected largest of ``n`` independent standard normal values.

    The best of n trials is overestimated by at most this many deviations of a repeated run, on
    average; by just this many where all trials are equally good.
    """
    if n == 1:
        return 0.0  # not what rounding makes of it
    step = 0.002
    x = np.arange(-8.5, 8.5, step)
    density = np.exp(-x * x / 2) / math.sqrt(2 * math.pi)
    return float(np.sum(x * n * density * special.ndtr(x) ** (n - 1)) * step)
