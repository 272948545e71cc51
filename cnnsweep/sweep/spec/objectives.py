"""The values that a run returns as its objectives."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from cnnsweep.errors import on_one_line


class Unusable(ValueError):
    """The task's value is no objective."""


@dataclass(frozen=True)
class NoNumber:
    """Stands for a task's value that is no number: its class may be unknown to other processes."""

    shown: str

    def __repr__(self) -> str:
        return self.shown


def plain(returned: object) -> object:
    """What a task returned as any process can read it: numbers, texts, None, and lists of these."""
    if returned is None or type(returned) in (bool, int, float, str):
        return returned
    if isinstance(returned, Sequence) and not isinstance(returned, str | bytes):
        return [plain(one) for one in returned]
    try:
        return float(returned)  # type: ignore[arg-type]
    except Exception:  # noqa: BLE001 — somebody's class, somebody's error
        return NoNumber(on_one_line(repr(returned)))


def as_values(returned: object, count: int, *, is_named: bool = True) -> list[float]:
    """``count`` floats.

    ``is_named``: the sweep knows which of a run's metrics decides where its task returns nothing.

    Raises:
        Unusable: not that many, not numbers, or NaN.
    """
    if returned is None and not is_named:
        raise Unusable(
            "the task returned nothing: it must return its objective, or hydra.sweeper.metric=… "
            "names the metric of report_epoch that is"
        )
    listed = returned if isinstance(returned, Sequence) and count > 1 else [returned]
    if isinstance(listed, str) or len(listed) != count:
        raise Unusable(f"the task returned {returned!r:.80}, not {count} objectives")
    return [_as_float(value) for value in listed]


def _as_float(value: object) -> float:
    try:
        number = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):
        raise Unusable(f"the task returned {value!r:.80}, which is no number") from None
    if math.isnan(number):
        raise Unusable("the objective is NaN")
    return number


def means(parts: Sequence[Sequence[float]]) -> list[float]:
    """The mean of each objective over runs with different seeds."""
    return [math.fsum(column) / len(parts) for column in zip(*parts, strict=True)]
