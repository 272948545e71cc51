"""The points of a space that has a finite number of them, and which of them were tried."""

import math
from collections.abc import Mapping
from decimal import Decimal
from itertools import product
from typing import Any

from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)

from cnnsweep.sweep.spec.space.values import typed_value, written

MOST_LISTED = 100_000

Space = Mapping[str, BaseDistribution]


def identity(params: Mapping[str, Any]) -> str:
    """Equal for parameters that set the same: 1 and 1.0, ``[1,2]`` and ``[1, 2]``, in any order."""
    return written({name: typed_value(value) for name, value in params.items()})


def count_points(space: Space) -> int | None:
    """How many different points a space has; None: infinitely many."""
    counts = [_count(distribution) for distribution in space.values()]
    return None if None in counts else math.prod(c for c in counts if c is not None)


def listed(space: Space) -> dict[str, dict[str, Any]] | None:
    """All points by their identities, in the space's order; None: too many to list."""
    points = count_points(space)
    if points is None or points > MOST_LISTED:
        return None
    values = [_values(distribution) for distribution in space.values()]
    listed = (dict(zip(space, point, strict=True)) for point in product(*values))
    return {identity(point): point for point in listed}


def _count(distribution: BaseDistribution) -> int | None:
    if isinstance(distribution, IntDistribution):
        return (distribution.high - distribution.low) // distribution.step + 1
    if not isinstance(distribution, FloatDistribution):
        return len(_values(distribution))
    if distribution.single():
        return 1
    if distribution.step is None:
        return None
    return round((distribution.high - distribution.low) / distribution.step) + 1


def _values(distribution: BaseDistribution) -> list[Any]:
    if isinstance(distribution, CategoricalDistribution):
        return list({identity({"": choice}): choice for choice in distribution.choices}.values())
    if isinstance(distribution, IntDistribution):
        return list(range(distribution.low, distribution.high + 1, distribution.step))
    assert isinstance(distribution, FloatDistribution)
    if distribution.single():
        return [distribution.low]
    low, step = Decimal(str(distribution.low)), Decimal(str(distribution.step))
    return [float(low + k * step) for k in range(_count(distribution) or 0)]
