"""Learning curves as a CSV file holds them: ``trial,epoch,value``."""

import csv
from math import isfinite
from pathlib import Path
from typing import NamedTuple

COLUMNS = ("trial", "epoch", "value")


class Recorded(NamedTuple):
    """A trial's values, larger is better, until its end or until it diverged.

    One that is shorter than the longest of its file diverged there, or was stopped: it costs the
    epochs that it has and can't win, whatever they say, since nobody knows how it would have ended.
    """

    values: tuple[float, ...]
    is_whole: bool


class BadFileError(ValueError):
    """The file is no file of curves; the message says in which line."""


def read_curves(path: Path, direction: str) -> list[Recorded]:
    """The curves of a file; to be minimized, their signs are turned.

    Rows may stand in any order. A value that is no finite number ends its curve before it. A trial
    that has none left costs nothing in the recording, and is left out.

    Raises:
        BadFileError: a column, a row or an epoch is missing or there twice.
    """
    curves: dict[str, dict[int, float]] = {}
    try:
        with path.open(newline="", encoding="utf-8") as file:
            lines = [(i, line) for i, line in enumerate(file, 1) if not line.startswith("#")]
    except (OSError, UnicodeDecodeError) as error:
        raise BadFileError(f"{path} cannot be read: {error}") from error
    rows = csv.DictReader(line for _, line in lines)
    if not set(COLUMNS) <= set(rows.fieldnames or ()):
        raise BadFileError(f"{path} needs the columns {', '.join(COLUMNS)}, and a row of names")
    for row in rows:
        number = lines[rows.line_num - 1][0]
        try:
            epoch, value = int(row["epoch"]), float(row["value"] or "nan")
        except (TypeError, ValueError) as error:
            raise BadFileError(f"{path}, line {number}: {error}") from error
        curve = curves.setdefault(row["trial"], {})
        if epoch in curve:
            raise BadFileError(
                f"{path}, line {number}: trial {row['trial']} has epoch {epoch} twice"
            )
        curve[epoch] = -value if direction == "minimize" else value
    return _whole_ones(path, curves)


def _whole_ones(path: Path, curves: dict[str, dict[int, float]]) -> list[Recorded]:
    first = min((epoch for curve in curves.values() for epoch in curve), default=1)
    values = []
    for trial, curve in curves.items():
        for place, epoch in enumerate(sorted(curve), first):
            if epoch != place:
                raise BadFileError(f"{path}: trial {trial} has epoch {epoch} but no epoch {place}")
        known = [curve[epoch] for epoch in sorted(curve)]
        end = next((i for i, value in enumerate(known) if not isfinite(value)), len(known))
        values.append(tuple(known[:end]))
    longest = max(map(len, values), default=0)
    return [Recorded(curve, len(curve) == longest) for curve in values if curve]
