"""What is a point of a space: as the command line reads it, not as Python compares it."""

import random
from typing import Any

import pytest
from optuna.distributions import (
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)
from optuna.samplers import RandomSampler
from optuna.study import create_study

from cnnsweep.sweep.spec.space.search_space import SearchSpace
from cnnsweep.sweep.spec.space.values import allowed_of, typed_value, written

SPACE = SearchSpace(
    {
        "lr": FloatDistribution(1e-4, 1.0, log=True),
        "momentum": FloatDistribution(0.0, 0.9, step=0.1),
        "width": IntDistribution(2, 10, step=2),
        "size": CategoricalDistribution([16, 32]),
        "layers": CategoricalDistribution(["[1, 2]", "[3]", "null", "true", "lenet"]),
    },
    (),
)


@pytest.mark.parametrize(
    ("name", "value", "drawn"),
    [
        ("lr", "1e-3", 0.001), ("lr", 1, 1.0), ("momentum", 0.30000000000000004, 0.3),
        ("width", "4", 4), ("width", 4.0, 4), ("size", "16", 16), ("size", 32.0, 32),
        ("layers", "[1,2]", "[1, 2]"), ("layers", [3], "[3]"), ("layers", None, "null"),
        ("layers", "null", "null"), ("layers", True, "true"), ("layers", "lenet", "lenet"),
    ],
)  # fmt: skip
def test_values_are_those_that_the_command_line_sets(name: str, value: Any, drawn: Any) -> None:
    assert SPACE.why_not({name: value}) is None
    (found,) = SPACE.drawn({name: value}).values()
    assert written(typed_value(found)) == written(typed_value(drawn))
    assert type(found) is type(drawn)


@pytest.mark.parametrize(
    ("name", "value", "allowed"),
    [
        ("lr", 2, "numbers from 0.0001 to 1"), ("lr", "nan", "numbers from 0.0001 to 1"),
        ("lr", True, "numbers from"), ("lr", None, "numbers from"), ("lr", "abc", "numbers from"),
        ("lr", 10**400, "numbers from"), ("lr", "-inf", "numbers from"),
        ("momentum", 0.25, "numbers from 0 to 0.9 in steps of 0.1"),
        ("width", 3, "whole numbers from 2 to 10 in steps of 2"), ("width", 4.5, "whole numbers"),
        ("size", 64, "16, 32"), ("size", True, "16, 32"), ("layers", 1, "[1, 2], [3], null, true"),
    ],
)  # fmt: skip
def test_what_is_not_in_the_space_is_said_with_what_is_allowed(
    name: str, value: Any, allowed: str
) -> None:
    said = SPACE.why_not({"lr": 0.1, name: value})
    assert said is not None
    assert f"{name}=" in said
    assert allowed in said


def test_a_key_that_is_no_parameter_is_named_with_those_that_are() -> None:
    assert SPACE.why_not({"lrr": 1}) == (
        "lrr is no parameter of the space. Did you mean 'lr'? Allowed are lr, momentum, width, "
        "size, layers"
    )
    assert SPACE.why_not({"zzz": 1}) == (
        "zzz is no parameter of the space: allowed are lr, momentum, width, size, layers"
    )


def test_whatever_a_space_draws_is_in_it_also_as_text() -> None:
    """Generated: 100 points, each value as drawn, as what it sets, and as text."""
    study, forms = create_study(sampler=RandomSampler(seed=0)), random.Random(0)
    for _ in range(100):
        point = study.ask(dict(SPACE.distributions)).params
        as_given = {n: forms.choice([v, typed_value(v), str(v)]) for n, v in point.items()}
        assert SPACE.why_not(as_given) is None
        drawn = SPACE.drawn(as_given)
        assert list(drawn) == list(SPACE.distributions)
        assert all(written(drawn[name]) == written(point[name]) for name in point)


def test_allowed_values_in_words() -> None:
    assert allowed_of(IntDistribution(1, 5)) == "whole numbers from 1 to 5"
    assert allowed_of(CategoricalDistribution([None, True, "a"])) == "null, true, a"


def test_a_conditional_parameter_needs_what_its_condition_names() -> None:
    space = SearchSpace(
        {
            "optim": CategoricalDistribution(["sgd", "adam"]),
            "lr": FloatDistribution(0.0, 1.0),
            "momentum": FloatDistribution(0.0, 1.0),
        },
        (),
        conditions={"momentum": {"optim": ("sgd",)}},
    )
    assert space.why_not({"optim": "sgd", "momentum": 0.5}) is None
    assert space.why_not({"lr": 0.5}) is None
    only = "momentum is drawn only where optim=sgd"
    assert space.why_not({"optim": "adam", "momentum": 0.5}) == only
    assert space.why_not({"momentum": 0.5}) == only
    assert space.absent({"optim": "adam"}) == ["lr"]
    assert space.absent({"optim": "sgd", "lr": 0.5}) == ["momentum"]
