"""A config's values as drawn and as compared, and which of them a distribution draws."""

import json
import sys
from collections.abc import Mapping
from enum import Enum
from functools import lru_cache
from typing import Any

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.errors import HydraException
from optuna.distributions import BaseDistribution, CategoricalDistribution, IntDistribution
from optuna.trial import TrialState, create_trial

from cnnsweep.rules import as_typed

_LARGEST = sys.float_info.max  # a whole number may be larger
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
    if isinstance(value, Enum):  # a file and a command have its name
        return _plain(value.name)
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    if isinstance(value, int | float) and not isinstance(value, bool):
        return f"{value:.{_DIGITS}g}"
    return value if value is None or isinstance(value, bool) else f"text {value}"


def drawn_for(distribution: BaseDistribution, value: Any) -> list[Any]:
    """What a distribution draws where it sets ``value``, in a list; [] where it never does."""
    if isinstance(distribution, CategoricalDistribution):
        choices = distribution.choices
        return [c for c in choices if written(typed_value(c)) == written(value)][:1]
    if not isinstance(value, int | float) or isinstance(value, bool) or abs(value) > _LARGEST:
        return []
    if isinstance(distribution, IntDistribution) and not float(value).is_integer():
        return []
    drawn: Any = int(value) if isinstance(distribution, IntDistribution) else float(value)
    try:
        create_trial(state=TrialState.WAITING, params={"": drawn}, distributions={"": distribution})
    except ValueError:
        return []
    return [drawn]


def allowed_of(distribution: BaseDistribution) -> str:
    """The values that a distribution draws, in words."""
    if isinstance(distribution, CategoricalDistribution):
        return ", ".join(map(as_typed, distribution.choices))
    plain: Any = distribution
    kind = "whole numbers" if isinstance(distribution, IntDistribution) else "numbers"
    said = f"{kind} from {plain.low:g} to {plain.high:g}"
    is_stepped = plain.step not in (None, 1) or (plain.step == 1 and kind == "numbers")
    return f"{said} in steps of {plain.step:g}" if is_stepped else said
