"""How many seeds would show a difference, and how far the best of many trials is overestimated."""

import math

import numpy as np
from scipy import special

POWER = 0.8
ALPHA = 0.05
MOST_SEEDS = 1000


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
    step = 0.002
    x = np.arange(-8.5, 8.5, step)
    density = np.exp(-x * x / 2) / math.sqrt(2 * math.pi)
    return float(np.sum(x * n * density * special.ndtr(x) ** (n - 1)) * step)
