"""Choosing runs by conditions on any column: ``model=resnet,simple``, ``optim.lr<0.1``."""

import operator
import re
from collections.abc import Iterable, Sequence
from difflib import get_close_matches

from cnnsweep.errors import UserError
from cnnsweep.report.read.run_record import ABOUT, Run
from cnnsweep.report.read.safe_io import Scalar
from cnnsweep.report.stats.table import differing

_CONDITION = re.compile(r"\s*([^=<>!\s]+)\s*(<=|>=|!=|==?|<|>)\s*(.*?)\s*")
_ORDER = {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}
_WORDS = {True: "true", False: "false", None: "null"}


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
    names = {*ABOUT}
    for run in runs:
        names |= run.config.keys() | run.result.keys()
    if key.removeprefix("config.") not in names:
        near = get_close_matches(key, sorted(names), n=3, cutoff=0.5)
        hint = f" Did you mean {' or '.join(map(repr, near))}?" if near else ""
        raise UserError(
            f"unknown {kind} {key!r}.{hint} Allowed is every config key and figure of the runs; "
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
    return _number(wanted) == value


def _number(value: Scalar) -> float | None:
    if isinstance(value, bool) or value is None:
        return None
    try:
        return float(value)
    except ValueError:
        return None
