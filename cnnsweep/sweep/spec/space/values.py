"""A config's values as drawn and as compared."""

import json
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.errors import HydraException

_DIGITS = 12  # of a float: 0.1 + 0.2 is the point 0.3


def typed_value(drawn: Any) -> Any:
    """What a drawn value sets: the choice `null` is None, the choice `[1, 2]` a list.

    Optuna keeps such choices as the text that was typed.
    """
    return _read(drawn) if isinstance(drawn, str) else drawn


def written(value: Any) -> str:
    """A config's value as text that is equal for equal values: 1 and 1.0, but not 1 and true."""
    return json.dumps(_plain(value), sort_keys=True)


@lru_cache(maxsize=4096)
def _read(text: str) -> Any:
    try:
        return OverridesParser.create().parse_override(f"key={text}").value()
    except HydraException:  # text that was quoted
        return text


def _plain(value: Any) -> Any:
    """What JSON can write: equal for equal values, numbers by their digits, text told from them."""
    if isinstance(value, Mapping):
        return {str(key): _plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    if isinstance(value, int | float) and not isinstance(value, bool):
        return f"{value:.{_DIGITS}g}"
    return value if value is None or isinstance(value, bool) else f"text {value}"
