"""The default config is the first trial of every space that holds it."""

from typing import Any

import pytest
from optuna.distributions import BaseDistribution, FloatDistribution, IntDistribution

from cnnsweep.sweep.spec.space.search_space import read_space
from cnnsweep.sweep.spec.space.values import drawn_for, typed_value


def space(typed: str) -> BaseDistribution:
    return next(iter(read_space({}, [f"k={typed}"], None).distributions.values()))


@pytest.mark.parametrize(
    ("typed", "default"),
    [
        ("null,1.0", None),
        ("1.0,null", None),
        ("null,1.0", 1),
        ("1,2", 1.0),
        ("1.0,2", 1),
        ("true,false", False),
        ("[],[1]", []),
        ("[1, 2],[3]", [1, 2]),
        ("[1, 2],[3]", [1.0, 2]),
        ("{a: 1},{a: [b, null]}", {"a": ["b", None]}),
        ("'null',x", "null"),
        ("null,'null'", "null"),
        ("choice('a b', c)", "a b"),
        ("cosine,none", "none"),
        ("'1',2", "1"),
        ("range(0, 1, 0.25)", 0.5),
        ("range(1, 9, 2)", 3),
        ("interval(0.0, 1.0)", 1),
        ("interval(1, 5)", 5),
    ],
)
def test_it_is_found_however_it_is_written(typed: str, default: Any) -> None:
    distribution = space(typed)
    point = drawn_for(distribution, default)
    assert len(point) == 1
    if not isinstance(distribution, FloatDistribution | IntDistribution):
        assert point[0] in distribution.choices  # type: ignore[attr-defined]
    assert typed_value(point[0]) == default


@pytest.mark.parametrize(
    ("typed", "default"),
    [
        ("null,1.0", "null"),
        ("'null',1.0", None),
        ("1,2", True),
        ("true,false", 1),
        ("[1],[2]", 1),
        ("1,2", 3),
        ("'1',2", 1),
        ("interval(0, 1)", None),
        ("interval(0, 1)", True),
        ("range(1, 9, 2)", 2),
        ("interval(0.1, 1.0)", 0.0),
    ],
)
def test_what_the_space_does_not_hold_is_not(typed: str, default: Any) -> None:
    assert drawn_for(space(typed), default) == []
