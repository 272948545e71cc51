"""The points of a space that has a finite number of them, and which of them were tried."""

import math
from collections.abc import Iterable, Mapping
from decimal import Decimal
from itertools import islice
from types import MappingProxyType
from typing import Any

from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)

from cnnsweep.sweep.spec.space.conditions import Condition, holds, is_among
from cnnsweep.sweep.spec.space.values import typed_value, written

MOST_LISTED = 100_000
_NEAR = 1e-6  # of a step: what arithmetic with floats leaves, and no person types

Space = Mapping[str, BaseDistribution]
Conditions = Mapping[str, Condition]
_NONE: Conditions = MappingProxyType({})


def identity(params: Mapping[str, Any]) -> str:
    """Equal for parameters that set the same: 1 and 1.0, ``[1,2]`` and ``[1, 2]``, in any order."""
    return written({name: typed_value(value) for name, value in params.items()})


def count_points(space: Space, conditions: Conditions = _NONE) -> int | None:
    """How many different points a space has; None: infinitely many.

    Of parameters that depend on others, the space has them in its order after those.
    """
    count = _Count(space, conditions).after(0, {})
    return None if count == math.inf else int(count)


def listed(space: Space, conditions: Conditions = _NONE) -> dict[str, dict[str, Any]] | None:
    """All points by their identities, in the space's order; None: too many to list."""
    points = count_points(space, conditions)
    if points is None or points > MOST_LISTED:
        return None
    found: list[dict[str, Any]] = [{}]
    for name, distribution in space.items():
        values = [{name: value} for value in _values(distribution)]
        condition = conditions.get(name, {})
        each = ((point, values if holds(condition, point) else [{}]) for point in found)
        found = [point | one for point, ones in each for one in ones]
    return {identity(point): point for point in found}


class _Count:
    """Counts points by going through the values that conditions tell apart."""

    def __init__(self, space: Space, conditions: Conditions) -> None:
        self._names = list(space)
        self._space = space
        self._conditions = conditions
        self._named = {name: _named(name, conditions) for name in space}
        self._known: dict[tuple[int, str], float] = {}

    def after(self, place: int, point: dict[str, Any]) -> float:
        """How many ways there are to go on from the parameters before ``place``; may be infinite.

        Of those no more is remembered than what the conditions of later ones name.
        """
        later = self._names[place:]
        if not later:
            return 1
        asked = {key for name in later for key in self._conditions.get(name, {})}
        point = {name: value for name, value in point.items() if name in asked}
        key = place, identity(point)
        if key not in self._known:
            self._known[key] = self._after(later[0], place + 1, point)
        return self._known[key]

    def _after(self, name: str, place: int, point: dict[str, Any]) -> float:
        if not holds(self._conditions.get(name, {}), point):
            return self.after(place, point)
        count = _count(self._space[name])
        if not self._named[name]:
            return (math.inf if count is None else count) * self.after(place, point)
        assert count is not None  # what conditions name has an end of values
        named = self._named[name]
        found = sum(self.after(place, point | {name: value}) for value in named)
        few = islice(_values(self._space[name]), len(named) + 1)
        others = [value for value in few if not is_among(value, named)]
        rest = self.after(place, point | {name: others[0]}) if others else 0
        return found + (count - len(named)) * rest


def _named(name: str, conditions: Conditions) -> list[Any]:
    found: list[Any] = []
    for condition in conditions.values():
        found += [one for one in condition.get(name, ()) if not is_among(one, found)]
    return found


def _count(distribution: BaseDistribution) -> int | None:
    if isinstance(distribution, IntDistribution):
        return (distribution.high - distribution.low) // distribution.step + 1
    if not isinstance(distribution, FloatDistribution):
        return sum(1 for _ in _values(distribution))
    if distribution.single():
        return 1
    if distribution.step is None:
        return None
    return round((distribution.high - distribution.low) / distribution.step) + 1


def _values(distribution: BaseDistribution) -> Iterable[Any]:
    if isinstance(distribution, CategoricalDistribution):
        return {identity({"": choice}): choice for choice in distribution.choices}.values()
    if isinstance(distribution, IntDistribution):
        return range(distribution.low, distribution.high + 1, distribution.step)
    assert isinstance(distribution, FloatDistribution)
    if distribution.single():
        return [distribution.low]
    return (_at_step(distribution, k) for k in range(_count(distribution) or 0))


def as_meant(distribution: BaseDistribution, value: float) -> float:
    """A drawn value as the decimal that a person means by its step: Optuna's 0.1 + 2 * 0.1 is 0.3.

    ``value`` is as a storage keeps it. Of other distributions, and where a person enqueued it
    between two steps, it stays as it is.
    """
    if not isinstance(distribution, FloatDistribution) or distribution.step is None:
        return value
    meant = _at_step(distribution, round((value - distribution.low) / distribution.step))
    return meant if abs(meant - value) < _NEAR * distribution.step else value


def _at_step(distribution: FloatDistribution, k: int) -> float:
    low, step = Decimal(str(distribution.low)), Decimal(str(distribution.step))
    return float(low + k * step)
