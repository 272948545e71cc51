"""``~`` in paths, which a shell leaves as it is in the middle of a word and inside quotes."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

_PATH = re.compile(r"((?:sqlite(?:\+\w+)?:///|file:(?://)?)?)(~[\w.-]*)((?:/.*)?)", re.DOTALL)


def with_home(text: str) -> str:
    """A path, or the address of a local file, with the ``~`` that it begins with replaced.

    ``~name`` is that user's home; where there is no such user, and for any other text, it stays.
    """
    found = _PATH.fullmatch(text)
    if found is None:
        return text
    scheme, tilde, rest = found.groups()
    try:
        home = str(Path(tilde).expanduser())
    except RuntimeError:
        return text
    return f"{scheme}{home}{rest}"


def path_with_home(text: str) -> Path:
    """A path as it was typed after another program's name."""
    return Path(with_home(text))


def tree_with_home(node: Any) -> Any:
    """The same for every text in nested mappings and lists."""
    if isinstance(node, str):
        return with_home(node)
    if isinstance(node, Mapping):
        return {key: tree_with_home(value) for key, value in node.items()}
    return [tree_with_home(item) for item in node] if isinstance(node, list) else node
