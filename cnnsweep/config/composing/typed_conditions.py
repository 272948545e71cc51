"""Parameters with a condition, typed as ``'optim.momentum={space: interval(0, 1), when: {…}}'``."""

import json
import re
from typing import Any

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Quote, QuotedString
from hydra.errors import HydraException

from cnnsweep.errors import UserError
from cnnsweep.rules import SPACE, WHEN

_ENTRIES = (
    re.compile(r"\{\s*space\s*:(?P<space>.+),\s*when\s*:(?P<when>.+)\}\s*", re.DOTALL),
    re.compile(r"\{\s*when\s*:(?P<when>.+\}\s*),\s*space\s*:(?P<space>.+)\}\s*", re.DOTALL),
)
_NESTED = re.compile(r""""[^"]*"|'[^']*'|\([^()]*\)|\[[^\[\]]*\]|\{[^{}]*\}""")
_PARAMS = "++hydra.sweeper.params."


def with_condition(word: str) -> str:
    """The word that puts such a parameter among ``hydra.sweeper.params``; any other as it is.

    It is there as text: Hydra would merge a mapping into the one that is there.

    Raises:
        UserError: it has one of the two keys, and another beside it.
    """
    key, sign, value = word.partition("=")
    found = next((m for entry in _ENTRIES if (m := entry.fullmatch(value.strip()))), None)
    if not sign or key.startswith(("hydra.", "+hydra.", "++hydra.", "~")):
        return word
    space, when = (_plain(found[part].strip()) if found else None for part in (SPACE, WHEN))
    if found is None or when is None:
        _refuse_misspelt(key, value)
        return word  # where it is such a parameter Hydra says why it cannot be read
    return condition_word(key, space or found[SPACE].strip(), when)


def condition_word(key: str, space: Any, when: Any) -> str:
    """The word that puts a parameter with a condition, of plain values, among those of a search."""
    text = json.dumps({SPACE: space, WHEN: when})
    escaped = key.replace(".", "\\.")
    return f"{_PARAMS}{escaped}={QuotedString(text, Quote.single).with_quotes()}"


def _refuse_misspelt(key: str, value: str) -> None:
    names = _keys(value.strip())
    strange = [name for name in names if name not in (SPACE, WHEN)]
    if strange and len(strange) < len(names):
        raise UserError(
            f"{key}={value}: unknown key {strange[0]!r}. A parameter of some trials has the keys "
            f"{SPACE} and {WHEN}: '{key}={{{SPACE}: interval(0, 1), {WHEN}: {{optim: sgd}}}}'"
        )


def _keys(text: str) -> list[str]:
    """The keys of a mapping as it is typed; [] of anything else."""
    if not text.startswith("{") or not text.endswith("}"):
        return []
    inner, shorter = "", text[1:-1]
    while shorter != inner:
        inner, shorter = shorter, _NESTED.sub("", shorter)
    return [part.partition(":")[0].strip() for part in inner.split(",") if ":" in part]


def _plain(text: str) -> Any:
    """What a text without functions stands for; None where it is none."""
    try:
        value = OverridesParser.create().parse_override(f"key={text}").value()
        json.dumps(value)
    except (HydraException, TypeError):
        return None
    return value
