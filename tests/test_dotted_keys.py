"""Dotted keys name values of nested mappings."""

import copy
import math
from typing import Any

import pytest

from cnnsweep.dotted_keys import are_same, is_below, leaves, look_up, remove

TREE: dict[str, Any] = {"a": {"b": {"c": 1}, "empty": {}}, "d": None, "e": [{"f": 2}]}


def test_leaves_keep_their_order_and_an_empty_mapping_is_one() -> None:
    assert list(leaves(TREE).items()) == [
        ("a.b.c", 1),
        ("a.empty", {}),
        ("d", None),
        ("e", [{"f": 2}]),
    ]


@pytest.mark.parametrize("key", list(leaves(TREE)))
def test_every_leaf_is_found_by_its_key(key: str) -> None:
    assert look_up(TREE, key, "missing") == leaves(TREE)[key]


@pytest.mark.parametrize("key", ["x", "a.x", "a.b.c.d", "d.x", "e.0", ""])
def test_a_key_that_is_not_there_has_the_default(key: str) -> None:
    assert look_up(TREE, key, "missing") == "missing"
    assert look_up(TREE, key) is None


def test_only_the_named_key_is_removed() -> None:
    tree = {"a": {"b": 1, "c": 2}, "d": 3}
    remove(tree, "a.b")
    remove(tree, "d")
    remove(tree, "a.c.x")
    remove(tree, "not.there")
    assert tree == {"a": {"c": 2}}


def test_a_key_belongs_to_a_place_by_whole_names() -> None:
    assert is_below("hydra.sweeper.sampler.seed", ["hydra/sweeper"])
    assert is_below("model", ["optim", "model"])
    assert not is_below("models.x", ["model"])


VALUES: list[Any] = [
    None, True, 0, 2, 0.5, math.nan, math.inf, "", "nan", [], {}, [math.nan], [1, [math.nan]],
    {"a": math.nan}, {"a": [{"b": math.nan}]}, {"a": 1}, [math.nan, math.nan], (1, math.nan),
]  # fmt: skip


@pytest.mark.parametrize("place", range(len(VALUES)))
def test_a_value_is_the_same_as_its_copy_and_as_no_other(place: int) -> None:
    value = VALUES[place]
    assert are_same(value, _another(value))
    for other in range(len(VALUES)):
        assert are_same(value, VALUES[other]) == (other == place)


def _another(value: Any) -> Any:
    """Equal, and made of other objects, as what is read from a file is."""
    if isinstance(value, dict):
        return {key: _another(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(map(_another, value))
    return float(str(value)) if isinstance(value, float) else copy.copy(value)
