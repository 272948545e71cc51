"""Points that a person wrote down: rows of a CSV file, mappings of a YAML file."""

import csv
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any

import yaml
from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException

from cnnsweep.config.nearest_key import suggestion
from cnnsweep.dotted_keys import leaves
from cnnsweep.errors import UserError, one_line

POINTS_KEY = "hydra.sweeper.points"
_YAML = (".yaml", ".yml")
_OTHERS = {";": "semicolons", "\t": "tabs"}
_REPORTS = {"status", "role", "objective"}  # columns of a report's runs.csv
_ALLOWED = (
    "allowed is a .csv file whose header has keys of the space, a .yaml file with a list of "
    "mappings of them, or the folder of an earlier sweep"
)


@dataclass(frozen=True)
class Row:
    """Values by dotted key; ``place`` names file and row, from 1, as a person finds it.

    ``header`` is the row that names the keys of a CSV, else empty.
    """

    place: str
    values: dict[str, Any]
    header: tuple[str, ...] = ()


def read_points(path: Path) -> list[Row]:
    """The rows of a file in their order; a key that a row does not give is left out of it.

    Raises:
        UserError: it is no such file, or has no points.
    """
    suffix = path.suffix.lower()
    if suffix not in (".csv", *_YAML):
        raise UserError(f"{POINTS_KEY}={path}: {_ALLOWED}")
    text = _text(path)
    rows = list(_yaml_rows(path, text) if suffix in _YAML else _csv_rows(path, text))
    if not rows:
        raise UserError(f"{POINTS_KEY}: {path} has no points; {_ALLOWED}")
    for row in rows:
        if not row.values:
            raise UserError(f"{row.place} gives no key a value: allowed are keys of the space")
        if twice := _twice(row.values):
            raise UserError(f"{row.place} gives {', '.join(twice)} twice; allowed is each key once")
    return rows


def _twice(keys: Iterable[str]) -> list[str]:
    """Keys that are there more than once, with a ``+`` or without it."""
    times = Counter(key.lstrip("+") for key in keys)
    return [key for key in times if times[key] > 1]


def _text(path: Path) -> str:
    try:
        return path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UserError(f"{POINTS_KEY}: {path} is no text in UTF-8: {error.reason}") from error
    except OSError as error:
        raise UserError(f"{POINTS_KEY}: {path} cannot be read: {error.strerror}") from error


def _csv_rows(path: Path, text: str) -> Iterator[Row]:
    """An empty cell gives no value; blank lines are no rows."""
    try:
        lines = [line for line in csv.reader(StringIO(text, newline=""), strict=True) if line]
    except csv.Error as error:
        raise UserError(f"{POINTS_KEY}: {path} is no CSV file: {error}") from error
    header = [cell.strip() for cell in lines[0]] if lines else []
    separators = [word for sign, word in _OTHERS.items() if len(header) == 1 and sign in header[0]]
    if separators:
        raise UserError(
            f"{POINTS_KEY}: {path} has {separators[0]} between its cells: allowed are commas"
        )
    if set(header) >= _REPORTS:
        raise UserError(
            f"{POINTS_KEY}: {path} is a report's table of runs, not of points: allowed "
            f"is the sweep's folder itself ({POINTS_KEY}=FOLDER), or a table of keys of "
            "the space alone"
        )
    times = Counter(header)
    if wrong := [key or "an empty cell" for key in times if times[key] > 1 or not key]:
        raise UserError(
            f"{POINTS_KEY}: {path}: its header has {', '.join(wrong)}; allowed is each key once"
        )
    for number, cells in enumerate(lines[1:], start=1):
        place = f"{POINTS_KEY}: {path}, row {number}"
        if len(cells) != len(header):
            raise UserError(
                f"{place} has {len(cells)} of {len(header)} cells: allowed are as many as its "
                "header has; an empty one gives no value"
            )
        pairs = zip(header, (cell.strip() for cell in cells), strict=True)
        yield Row(place, {key: cell for key, cell in pairs if cell}, tuple(header))


def refuse_header(path: Path, rows: Iterable[Row], known: Sequence[str]) -> None:
    """Refuse a CSV whose first row names a key that is not ``known``: it may be no header at all.

    Raises:
        UserError: says what the header has, and what it must have.
    """
    header = next((row.header for row in rows), ())
    wrong = [key for key in header if key.lstrip("+") not in known]
    if wrong and len(wrong) == len(header) and any(map(_is_value, wrong)):
        raise UserError(
            f"{POINTS_KEY}: {path}: its first row is {','.join(header)}, and must name the "
            f"parameters of the columns: {', '.join(known)}"
        )
    if wrong:
        near = suggestion(wrong[0], known)
        raise UserError(
            f"{POINTS_KEY}: {path}: its header has {wrong[0]}, which is no parameter of the space."
            f"{near} Allowed are {', '.join(known)}"
        )


def _is_value(cell: str) -> bool:
    return not (cell[0].isalpha() or cell[0] in "_+")


def _why(error: Exception) -> str:
    """What is wrong in a YAML, and where, without the parsers' advice to programmers."""
    if isinstance(error, OmegaConfBaseException) and error.full_key:
        return f"{error.full_key.lstrip('.')}: an interpolation finds nothing"
    mark = getattr(error, "problem_mark", None)
    said = getattr(error, "problem", None) or one_line(error)
    said = said.split(" exceeds the configured limit")[0]
    said = said if said != "YAML node expansion" else "its anchors stand for too many values"
    return said if mark is None else f"line {mark.line + 1}, column {mark.column + 1}: {said}"


def _yaml_rows(path: Path, text: str) -> Iterator[Row]:
    try:
        read = OmegaConf.create(text)  # which refuses a key that is there twice
        listed = OmegaConf.to_container(read, resolve=True)
    except (yaml.YAMLError, OmegaConfBaseException, ValueError) as error:
        raise UserError(f"{POINTS_KEY}: {path} is no YAML file: {_why(error)}") from error
    if not isinstance(listed, list):
        if not listed:
            return
        raise UserError(f"{POINTS_KEY}: {path} is one mapping; {_ALLOWED}")
    for number, entry in enumerate(listed, start=1):
        place = f"{POINTS_KEY}: {path}, row {number}"
        if not isinstance(entry, dict):
            raise UserError(f"{place} is {entry!r:.60}: allowed is a mapping of keys to values")
        if twice := _twice(_keys(entry)):
            raise UserError(f"{place} gives {', '.join(twice)} twice; allowed is each key once")
        yield Row(place, leaves(entry))


def _keys(tree: Mapping[Any, Any], prefix: str = "") -> Iterator[str]:
    """The dotted keys of leaves, each as often as it is written."""
    for key, value in tree.items():
        if isinstance(value, Mapping) and value:
            yield from _keys(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}"
