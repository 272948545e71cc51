"""Nested mappings by dotted keys: ``optim.lr`` is ``tree["optim"]["lr"]``."""

from collections.abc import Iterable, Mapping
from typing import Any


def leaves(tree: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Dotted keys and their values in order; lists and empty mappings are values."""
    found: dict[str, Any] = {}
    for key, value in tree.items():
        if isinstance(value, Mapping) and value:
            found |= leaves(value, f"{prefix}{key}.")
        else:
            found[f"{prefix}{key}"] = value
    return found


def are_same(one: object, other: object) -> bool:
    """Whether two values of configs are equal; NaN, also within lists and mappings, is itself."""
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return one.keys() == other.keys() and all(are_same(one[key], other[key]) for key in one)
    if isinstance(one, list | tuple) and isinstance(other, list | tuple):
        return (
            type(one) is type(other) and len(one) == len(other) and all(map(are_same, one, other))
        )
    return bool(one == other or (one != one and other != other))


def look_up(tree: Mapping[str, Any], key: str, default: Any = None) -> Any:
    """The value of a dotted key; ``default`` where there is none."""
    node: Any = tree
    for part in key.split("."):
        if not isinstance(node, Mapping) or part not in node:
            return default
        node = node[part]
    return node


def remove(tree: dict[Any, Any], key: str) -> None:
    """Remove a dotted key from nested dicts, where it is there."""
    parent, _, last = key.rpartition(".")
    node = look_up(tree, parent) if parent else tree
    if isinstance(node, dict):
        node.pop(last, None)


def is_below(key: str, places: Iterable[str]) -> bool:
    """Whether a key, or a config group, is one of ``places`` or belongs to one of them."""
    path = key.replace("/", ".")
    return any(
        path == place or path.startswith(f"{place}.")
        for place in (place.replace("/", ".") for place in places)
    )
