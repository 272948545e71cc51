"""Dotted keys name values of nested mappings."""

from typing import Any

import pytest

from cnnsweep.dotted_keys import is_below, leaves, look_up, remove

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
