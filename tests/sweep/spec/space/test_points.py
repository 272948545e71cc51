"""Which points a space has, and which values are equal."""

from typing import Any

import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

from cnnsweep.sweep.spec.samplers import Space
from cnnsweep.sweep.spec.space.points import MOST_LISTED, count_points, identity, listed
from cnnsweep.sweep.spec.space.values import written

SPACES: list[tuple[Space, int | None]] = [
    ({}, 1),
    ({"x": FloatDistribution(0.0, 1.0)}, None),
    ({"x": FloatDistribution(1e-4, 1.0, log=True), "n": IntDistribution(1, 2)}, None),
    ({"x": FloatDistribution(0.5, 0.5)}, 1),
    ({"x": FloatDistribution(0.0, 1.0, step=0.1)}, 11),
    ({"n": IntDistribution(1, 7, step=3), "c": CategoricalDistribution(["a", "b"])}, 6),
    ({"n": IntDistribution(1, 8, log=True)}, 8),
    ({"c": CategoricalDistribution(["null", "[]", "[1, 2]", "[1,2]", 1, 1.0])}, 4),
    ({"n": IntDistribution(1, 10**9)}, 10**9),
]


@pytest.mark.parametrize(("space", "count"), SPACES)
def test_the_points_are_as_many_as_can_be_listed(space: Space, count: int | None) -> None:
    assert count_points(space) == count
    points = listed(space)
    if count is None or count > MOST_LISTED:
        assert points is None
        return
    assert points is not None
    assert len(points) == count
    for key, point in points.items():
        assert all(d._contains(d.to_internal_repr(point[n])) for n, d in space.items())
        assert key == identity(point)


@pytest.mark.parametrize(
    ("one", "other"),
    [(1, 1.0), (0.3, 0.1 + 0.2), ("[1, 2]", "[1,2]"), ("[1.0,2]", "[1,2]"), ("null", "null")],
)
def test_equal_settings_are_one_point(one: Any, other: Any) -> None:
    assert identity({"k": one, "l": 0}) == identity({"l": 0, "k": other})


@pytest.mark.parametrize(
    ("one", "other"),
    [(1, True), (0, False), ("null", "'null'"), ("[]", "'[]'"), (1, "'1'"), ("[1]", 1), (1, 2)],
)
def test_different_settings_are_different_points(one: Any, other: Any) -> None:
    assert identity({"k": one}) != identity({"k": other})


def test_a_value_of_the_config_is_told_from_its_text() -> None:
    assert written(None) != written("null")
    assert written([1, 2]) == written([1.0, 2.0]) != written("[1, 2]")
