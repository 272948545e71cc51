"""Overrides written from plain values are read back as these values."""

import random
from typing import Any

import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser

from cnnsweep.config.overrides import as_text, by_key

TEXT = "ab 1,=:[]{}()'\"\\/.-+~$%*@?|#é\t"
SCALARS = (None, True, False, 0, -7, 0.1, 1e-05, 1e300, "null", "true", "1", "1e-3", "", "a,b")
KEYS = ("key", "optim.lr", "a b", "x=1", "c:d", "1e-3 ")


def made_value(draw: random.Random, depth: int = 2) -> Any:
    kind = draw.random()
    if depth and kind < 0.2:
        return [made_value(draw, depth - 1) for _ in range(draw.randint(0, 3))]
    if depth and kind < 0.4:
        return {
            draw.choice(KEYS[:3]): made_value(draw, depth - 1) for _ in range(draw.randint(0, 3))
        }
    if kind < 0.7:
        return "".join(draw.choices(TEXT, k=draw.randint(0, 8)))
    return draw.choice(SCALARS)


@pytest.mark.parametrize("seed", range(200))
def test_a_value_comes_back(seed: int) -> None:
    value = made_value(random.Random(seed))
    (override,) = OverridesParser.create().parse_overrides([f"key={as_text(value)}"])
    assert override.value() == value
    assert type(override.value()) is type(value)


def test_of_two_overrides_for_a_key_the_later_counts() -> None:
    found = by_key(["a=1", "+b.c=2", "++a=3", "~d", "hydra/sweeper=optuna", "b@x=y"])
    assert {key: o.input_line for key, o in found.items()} == {
        "a": "++a=3", "b.c": "+b.c=2", "d": "~d", "hydra/sweeper": "hydra/sweeper=optuna",
        "b@x": "b@x=y",
    }  # fmt: skip
