"""One row a run: the config keys that differ, the metrics, the folder; rows by conditions.

A condition is about any column: ``model=resnet,simple``, ``optim.lr<0.1``.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterable, Sequence
from difflib import get_close_matches
from typing import TYPE_CHECKING

from cnnsweep.errors import UserError
from cnnsweep.report.read.load_runs import Gathered
from cnnsweep.report.read.run_record import ABOUT, Run, as_compared
from cnnsweep.report.read.safe_io import Scalar

if TYPE_CHECKING:
    import pandas as pd

_NOWHERE = "–"  # the value of a key that a run doesn't have
_ALWAYS = ("model", "data", "seed")
_FIRST, _LAST = ("status", "role"), ("sweep", "trial", "error", "folder")
_CONDITION = re.compile(r"\s*([^=<>!\s]+)\s*(<=|>=|!=|==?|<|>)\s*(.*?)\s*")
_ORDER = {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}
_WORDS = {True: "true", False: "false", None: "null"}


def columns(runs: Iterable[Run]) -> list[str]:
    """The table's columns, in order; ``config.epochs``: where a metric has that name."""
    runs = list(runs)
    metrics = dict.fromkeys(name for run in runs for name in run.result)
    keys = [key for key in differing(runs) if not _repeats(runs, key)]
    named = [f"config.{key}" if key in metrics or key in _LAST + _FIRST else key for key in keys]
    return [*_FIRST, *named, *metrics, *_LAST]


def differing(runs: Iterable[Run], wanted: Callable[[str], bool] = bool) -> list[str]:
    """The ``wanted`` config keys that differ between the runs; model, data, seed in any case.

    Keys that only repeat a group's choice (``model._target_`` beside ``model``) are left out.
    """
    runs = list(runs)
    keys = dict.fromkeys(key for run in runs for key in run.config)
    return [
        key
        for key in keys
        if wanted(key)
        and not (key.endswith("._target_") and key.removesuffix("._target_") in keys)
        and (key in _ALWAYS or len({run.configured(key, _NOWHERE) for run in runs}) > 1)
    ]


def _repeats(runs: list[Run], key: str) -> bool:
    """Whether a metric of the same name has the same value in every run with one (``seed``)."""
    with_it = [run for run in runs if key in run.result]
    return bool(with_it) and all(run.result[key] == run.config.get(key) for run in with_it)


def rows(runs: Iterable[Run], names: list[str]) -> Iterable[list[Scalar]]:
    """The cells of each run, in the order of the columns."""
    return ([run.value(name) for name in names] for run in runs)


def as_frame(gathered: Gathered) -> pd.DataFrame:
    """The table for a notebook."""
    import pandas as pd

    names = columns(gathered.runs)
    frame = pd.DataFrame(list(rows(gathered.runs, names)), columns=names)
    frame.attrs["problems"] = gathered.problems
    return frame


def select(runs: Sequence[Run], conditions: Iterable[str]) -> list[Run]:
    """The runs for which all conditions hold.

    ``=`` and ``!=`` take several values with commas between; ``<`` and the like compare numbers.

    Raises:
        UserError: a condition cannot be read, names an unknown column, or none of the runs fits.
    """
    chosen = list(runs)
    for condition in conditions:
        match = _CONDITION.fullmatch(condition)
        if match is None:
            raise UserError(
                f"--where {condition!r} is no condition: allowed are KEY=VALUE[,VALUE...], "
                "KEY!=VALUE, KEY<NUMBER, KEY<=NUMBER, KEY>NUMBER and KEY>=NUMBER"
            )
        key, sign, wanted = match.groups()
        check_column(runs, key, "column in --where")
        chosen = [run for run in chosen if _holds(run.value(key), sign, wanted)]
    if not chosen:
        raise UserError(f"no run fits --where {' and '.join(map(repr, conditions))}")
    return chosen


def check_column(runs: Iterable[Run], key: str, kind: str) -> None:
    """Refuse a column that no run has, with the nearest name."""
    runs = list(runs)
    names = {*ABOUT}.union(*(run.config.keys() | run.result.keys() for run in runs))
    if key.removeprefix("config.") not in names:
        near = get_close_matches(key, sorted(names), n=3, cutoff=0.5)
        hint = f" Did you mean {' or '.join(map(repr, near))}?" if near else ""
        raise UserError(
            f"unknown {kind} {key!r}.{hint} Allowed is every config key and metric of the runs; "
            f"these differ: {', '.join(differing(runs)[:20])}."
        )


def _holds(value: Scalar, sign: str, wanted: str) -> bool:
    if sign in _ORDER:
        number, limit = _number(value), _number(wanted)
        if limit is None:
            raise UserError(f"--where …{sign}{wanted!r}: a number is needed after {sign}")
        return number is not None and _ORDER[sign](number, limit)
    equal = any(_equal(value, option.strip()) for option in wanted.split(","))
    return equal != (sign == "!=")


def _equal(value: Scalar, wanted: str) -> bool:
    if value is None or isinstance(value, bool):
        return _WORDS[value] == wanted.lower()
    if isinstance(value, str):
        return value == wanted
    return as_compared(_number(wanted)) == as_compared(value)


def _number(value: Scalar) -> float | None:
    if isinstance(value, bool) or value is None:
        return None
    try:
        return float(value)
    except ValueError:
        return None
