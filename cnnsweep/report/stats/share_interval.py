"""Intervals of the difference between two shares, such as two accuracies of one run each."""

import math
from statistics import NormalDist
from typing import NamedTuple


class Paired(NamedTuple):
    """The images of one test split, by which of two networks gets them right."""

    both: int
    only_first: int
    only_second: int
    neither: int

    @property
    def total(self) -> int:
        """How many images there are."""
        return sum(self)


def newcombe(
    first: tuple[float, int], second: tuple[float, int], alpha: float
) -> tuple[float, float]:
    """The interval of a difference between two shares, first minus second.

    Source: Newcombe, Statistics in Medicine 1998, method 10, of two Wilson intervals.

    Args:
        first: a share in 0..1, and of how many.
        second: likewise, of others.
        alpha: one minus the interval's confidence.
    """
    return _squared_and_added(first, second, alpha, 0.0)


def newcombe_paired(counts: Paired, alpha: float) -> tuple[float, float]:
    """The interval of first minus second where both shares are of the same images.

    Source: Newcombe, Statistics in Medicine 1998, pages 2635 to 2650, method 10: Wilson's intervals
    of both shares, with their correlation, corrected for continuity.
    """
    n = counts.total
    first, second = counts.both + counts.only_first, counts.both + counts.only_second
    margins = first * (n - first) * second * (n - second)
    product = counts.both * counts.neither - counts.only_first * counts.only_second
    surplus = max(product - n / 2, 0.0) if product > 0 else product
    phi = surplus / math.sqrt(margins) if margins else 0.0
    return _squared_and_added((first / n, n), (second / n, n), alpha, phi)


def _squared_and_added(
    first: tuple[float, int], second: tuple[float, int], alpha: float, phi: float
) -> tuple[float, float]:
    z = NormalDist().inv_cdf(1 - alpha / 2)
    (p1, _), (p2, _) = first, second
    (l1, u1), (l2, u2) = _wilson(*first, z), _wilson(*second, z)
    return (
        p1 - p2 - _length(p1 - l1, u2 - p2, phi),
        p1 - p2 + _length(u1 - p1, p2 - l2, phi),
    )


def _length(one: float, other: float, phi: float) -> float:
    return math.sqrt(max(one * one - 2 * phi * one * other + other * other, 0.0))


def _wilson(share: float, count: int, z: float) -> tuple[float, float]:
    centre = share + z * z / (2 * count)
    half = z * math.sqrt(share * (1 - share) / count + z * z / (4 * count * count))
    whole = 1 + z * z / count
    return (centre - half) / whole, (centre + half) / whole
