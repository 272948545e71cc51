"""Nested mappings by dotted keys: ``optim.lr`` is ``tree["optim"]["lr"]``."""

from collections.abc import Iterator, Mapping
from typing import Any


def leaves(tree: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Dotted keys and their values in order; an empty mapping is a value."""
    for key, value in tree.items():
        if isinstance(value, Mapping) and value:
            yield from leaves(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


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
