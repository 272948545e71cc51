"""Parameters with a condition, typed as ``'optim.momentum={space: interval(0, 1), when: {…}}'``."""

import json
import re
from collections.abc import Mapping
from typing import Any

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Quote, QuotedString
from hydra.errors import HydraException

_ENTRIES = (
    re.compile(r"\{\s*space\s*:(?P<space>.+),\s*when\s*:(?P<when>.+)\}\s*", re.DOTALL),
    re.compile(r"\{\s*when\s*:(?P<when>.+\}\s*),\s*space\s*:(?P<space>.+)\}\s*", re.DOTALL),
)
_PARAMS = "++hydra.sweeper.params."


def with_condition(word: str) -> str:
    """The word that puts such a parameter among ``hydra.sweeper.params``; any other as it is.

    It is there as text: Hydra would merge a mapping into the one that is there.
    """
    key, sign, value = word.partition("=")
    found = next((m for entry in _ENTRIES if (m := entry.fullmatch(value.strip()))), None)
    if not sign or found is None or key.startswith(("hydra.", "+hydra.", "++hydra.", "~")):
        return word
    space, when = (_plain(found[part].strip()) for part in ("space", "when"))
    if when is None:
        return word  # Hydra says why
    return condition_word(key, space or found["space"].strip(), when)


def condition_word(key: str, space: Any, when: Any) -> str:
    """The word that puts a parameter with a condition, of plain values, among those of a search."""
    text = json.dumps({"space": space, "when": when})
    escaped = key.replace(".", "\\.")
    return f"{_PARAMS}{escaped}={QuotedString(text, Quote.single).with_quotes()}"


def conditional(value: Any) -> Mapping[str, Any] | None:
    """An entry of ``params`` that has a condition, a mapping or such a text; else None."""
    if isinstance(value, str) and value.startswith("{"):
        try:
            value = json.loads(value)
        except ValueError:
            return None
    return value if isinstance(value, Mapping) else None


def _plain(text: str) -> Any:
    """What a text without functions stands for; None where it is none."""
    try:
        value = OverridesParser.create().parse_override(f"key={text}").value()
        json.dumps(value)
    except (HydraException, TypeError):
        return None
    return value
