"""What another app may report, checked: an epoch's number, and numbers by name."""

import operator
from collections.abc import Mapping
from typing import Any

from cnnsweep.errors import UserError
from cnnsweep.folders.run_folder import OBJECTIVE_IS

EPOCH = "epoch"
RESERVED = (
    EPOCH, "app", "status", "objective", OBJECTIVE_IS, "epochs", "best_epoch", "seed", "versions",
    "commit", "commit_of_folder", "changes", "error", "hardware", "started", "ended", "data",
    "learned",
)  # fmt: skip
"""Other things that result.json says under these names."""

Row = dict[str, float | int | None]  # of metrics.csv


def checked_row(epoch: object, metrics: object) -> Row:
    """The row of an epoch.

    Raises:
        UserError: says what was given and what is allowed.
    """
    number = _checked_epoch(epoch)
    call = f"report_epoch({number}, …)"
    if not isinstance(metrics, Mapping) or not metrics:
        raise UserError(f"{call} got {metrics!r:.60}; it needs metrics by name: {{'val_loss': …}}")
    for name in metrics:
        if not isinstance(name, str) or not name.isprintable() or not name.strip():
            raise UserError(f"{call} got a metric named {name!r:.60}; allowed is a text")
        if name in RESERVED:
            raise UserError(
                f"{call} got a metric named {name}, which says something else in result files; "
                f"allowed is any name but {', '.join(RESERVED)}"
            )
    return {EPOCH: number, **{str(k): _as_float(call, k, v) for k, v in metrics.items()}}


def _checked_epoch(epoch: Any) -> int:
    try:
        number = operator.index(epoch)
    except TypeError:
        number = 0
    if isinstance(epoch, bool) or number < 1:
        raise UserError(f"report_epoch got epoch {epoch!r:.60}; epochs are counted from 1")
    return number


def _as_float(call: str, name: str, value: Any) -> float:
    try:
        if isinstance(value, bool | str | bytes):
            raise TypeError
        return float(value)
    except (TypeError, ValueError, RuntimeError, OverflowError):  # torch's, of several elements
        raise UserError(f"{call}: {name} is {value!r:.60}; allowed is one number") from None
