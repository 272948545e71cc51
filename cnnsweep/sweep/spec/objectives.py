"""The values that a run returns as its objectives."""

import math
from collections.abc import Sequence


class Unusable(ValueError):
    """The task's value is no objective."""


def as_values(returned: object, count: int) -> list[float]:
    """``count`` floats.

    Raises:
        Unusable: not that many, not numbers, or NaN.
    """
    listed = returned if isinstance(returned, Sequence) and count > 1 else [returned]
    if isinstance(listed, str) or len(listed) != count:
        raise Unusable(f"the task returned {returned!r:.80}, not {count} objectives")
    return [_as_float(value) for value in listed]


def _as_float(value: object) -> float:
    try:
        number = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        raise Unusable(f"the task returned {value!r:.80}, which is no number") from None
    if math.isnan(number):
        raise Unusable("the objective is NaN")
    return number


def means(parts: Sequence[Sequence[float]]) -> list[float]:
    """The mean of each objective over runs with different seeds."""
    return [math.fsum(column) / len(parts) for column in zip(*parts, strict=True)]
