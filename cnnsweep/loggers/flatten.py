"""Plain values out of nested ones, as trackers like them."""

from collections.abc import Mapping
from typing import Any

from cnnsweep.dotted_keys import leaves
from cnnsweep.loggers.base import Row


def flat(tree: Mapping[str, Any]) -> dict[str, Any]:
    """Dotted keys and their values; an empty mapping is left out."""
    return {key: value for key, value in leaves(tree) if value != {}}


def epoch_metrics(row: Row) -> tuple[int, dict[str, float]]:
    """An epoch's number and those of its figures that exist."""
    figures = {k: float(v) for k, v in row.items() if k != "epoch" and v is not None}
    return int(row["epoch"] or 0), figures


def final_metrics(result: Mapping[str, Any]) -> dict[str, float]:
    """The figures of an outcome, as `final_<name>`: epochs have figures of the same names.

    Several objectives become `final_objective_0`, `final_objective_1`.
    """
    values = dict(result)
    if isinstance(values["objective"], list):
        values |= {f"objective_{i}": v for i, v in enumerate(values.pop("objective"))}
    return {
        f"final_{name}": float(value)
        for name, value in values.items()
        if isinstance(value, int | float) and name not in ("seed", "threads")
    }
