"""An entry of a space as Hydra 1.1 and other programs write it, as the words that say the same."""

import math
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.errors import HydraException

from cnnsweep.config.overrides import as_text

_BOUNDS = (("low", "high"), ("min", "max"))


def former_words(entry: Mapping[str, Any]) -> str | None:
    """``{type: float, low: 1, high: 2}`` as ``interval(1, 2)``; None where it can't be understood.

    Known are the types ``float``, ``int`` and ``categorical`` with ``low``, ``high``, ``step`` and
    ``log``, and the same without a type, or with ``min``, ``max`` and ``values``.
    """
    choices = entry.get("choices", entry.get("values"))
    if isinstance(choices, list) and choices:
        words = [as_text(choice) for choice in choices]
        return ", ".join(words) if all(map(_reads, words)) else None
    ends = [(entry[low], entry[high]) for low, high in _BOUNDS if low in entry and high in entry]
    if not ends or not all(map(_is_number, ends[0])):
        return None
    (low, high), step = ends[0], entry.get("step")
    is_int = entry.get("type") == "int" or (
        "type" not in entry and isinstance(low, int) and isinstance(high, int)
    )
    if step is not None and _is_number(step) and step > 0 and not (is_int and step == 1):
        return _range(low, high, step)
    whole = f"int(interval({low}, {high}))"
    whole = whole if is_int else f"interval({float(low)}, {float(high)})"
    is_log = entry.get("log") is True or "log" in str(entry.get("distribution", ""))
    return f"tag(log, {whole})" if is_log else whole


def _range(low: float, high: float, step: float) -> str:
    """Hydra leaves out the stop, which they include where a step ends there."""
    first, by = Decimal(str(low)), Decimal(str(step))
    steps = math.floor((Decimal(str(high)) - first) / by) + 1
    return f"range({low}, {first + steps * by}, {step})"


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _reads(word: str) -> bool:
    try:
        OverridesParser.create().parse_override(f"key={word}")
    except HydraException:
        return False
    return True
