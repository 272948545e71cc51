"""Rules for the values of config keys, which name the key and what is allowed; values as typed."""

import json
import math
import re
from collections.abc import Callable, Mapping, Sequence
from enum import Enum
from pathlib import Path
from typing import Any, NamedTuple

from cnnsweep.errors import UserError

_ODD = "an odd whole number from 1 up: padding keeps the size of maps then"
SPACE, WHEN = "space", "when"  # of a parameter that some trials of a search have
_MOST_THREADS = 1024  # of one process; a hundred times as many cost the machine its memory
# Shells leave a ~ as it is in the middle of a word and inside quotes.
_PATH = re.compile(r"((?:sqlite(?:\+\w+)?:///|file:(?://)?)?)(~[\w.-]*)((?:/.*)?)", re.DOTALL)


class Rule(NamedTuple):
    """A dotted key, whether a value is fit for it, and the allowed values in words."""

    key: str
    is_fit: Callable[[Any], bool]
    allowed: str

    def check(self, value: Any) -> Any:
        """The value, if it is fit; else UserError, which names key, value and what is allowed."""
        if not self.is_fit(value):
            is_text = _reads_otherwise(value)
            said = f"{value!r} is text" if is_text else f"{as_typed(value)} is out of range"
            raise UserError(f"{self.key}={said}: allowed is {self.allowed}")
        return value


def or_null(rule: Rule) -> Rule:
    """The same rule, but null is allowed too."""
    return Rule(rule.key, lambda v: v is None or rule.is_fit(v), f"null, or {rule.allowed}")


def whole(key: str, least: int, *words: str) -> Rule:
    """A whole number of ``least`` or more, or one of ``words``."""
    named = "".join(f"{word}, or " for word in words)
    return Rule(
        key,
        lambda v: v in words or _is_whole(v, least),
        f"{named}a whole number from {least} up",
    )


def threads(key: str, *words: str) -> Rule:
    """A number of CPU threads, or one of ``words``."""
    named = "".join(f"{word}, or " for word in words)
    return Rule(
        key,
        lambda v: v in words or (_is_whole(v, 1) and v <= _MOST_THREADS),
        f"{named}a whole number from 1 up to {_MOST_THREADS}",
    )


def odd(key: str) -> Rule:
    """An odd whole number of 1 or more."""
    return Rule(key, lambda v: _is_whole(v, 1) and v % 2 == 1, _ODD)


def counts(key: str) -> Rule:
    """A list, not empty, of whole numbers of 1 or more."""
    return Rule(
        key,
        lambda v: isinstance(v, Sequence) and len(v) > 0 and all(_is_whole(one, 1) for one in v),
        "a list of whole numbers from 1 up, such as [16, 32]",
    )


def above_zero(key: str) -> Rule:
    """A finite number above 0."""
    return Rule(key, lambda v: _is_number(v) and v > 0, "a number above 0")


def from_zero(key: str) -> Rule:
    """A finite number of 0 or more."""
    return Rule(key, lambda v: _is_number(v) and v >= 0, "a number from 0 up")


def within(key: str, *, least: float, includes_least: bool, most: float, why: str) -> Rule:
    """A number, or a list of them one for each channel, in a range that ends with ``most``."""

    def is_fit(value: Any) -> bool:
        numbers = value if isinstance(value, list | tuple) else [value]
        return len(numbers) > 0 and all(
            _is_number(n) and n <= most and (n > least or (includes_least and n == least))
            for n in numbers
        )

    low = "from" if includes_least else "above"
    return Rule(key, is_fit, f"a number {low} {least:g} to {most:g}, or a list of them: {why}")


def number(key: str) -> Rule:
    """A finite number."""
    return Rule(key, _is_number, "a number")


def numbers(key: str) -> Rule:
    """A finite number, or a list of them."""
    return Rule(key, lambda v: _is_number(v) or is_numbers(v), "a number, or a list of them")


def text(key: str) -> Rule:
    """A text that is not empty."""
    return Rule(key, lambda v: isinstance(v, str) and v != "", "text")


def share(key: str) -> Rule:
    """A number in [0, 1)."""
    return Rule(
        key, lambda v: _is_number(v) and 0 <= v < 1, "a number from 0 up to, not including, 1"
    )


def flag(key: str) -> Rule:
    """True or false."""
    return Rule(key, lambda v: isinstance(v, bool), "true or false")


def choice(key: str, *names: str) -> Rule:
    """One of ``names``."""
    return Rule(key, lambda v: v in names, ", ".join(names))


def as_typed(value: Any) -> str:
    """A value as it is typed on Hydra's command line; text without quotes, an Enum by its name."""
    if isinstance(value, Enum):
        return value.name
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    return str(value)


def is_numbers(value: Any) -> bool:
    """Whether a value is a list, not empty, of finite numbers."""
    return isinstance(value, list) and len(value) > 0 and all(map(_is_number, value))


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


def conditional(value: Any) -> Mapping[str, Any] | None:
    """An entry of a search's space that has a condition, with the keys SPACE and WHEN; else None.

    It is a mapping, as a YAML has it, or JSON, as it was typed.
    """
    if isinstance(value, str) and value.startswith("{"):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            return None
    return value if isinstance(value, Mapping) else None


def tree_with_home(node: Any) -> Any:
    """The same for every text in nested mappings and lists."""
    if isinstance(node, str):
        return with_home(node)
    if isinstance(node, Mapping):
        return {key: tree_with_home(value) for key, value in node.items()}
    return [tree_with_home(item) for item in node] if isinstance(node, list) else node


def _is_whole(value: Any, least: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= least


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _reads_otherwise(value: Any) -> bool:
    """Whether it is text that, typed without quotes, is none: '1e-3', 'null', 'true'."""
    if not isinstance(value, str):
        return False
    try:
        float(value)
    except ValueError:
        return value.lower() in ("null", "true", "false")
    return True
