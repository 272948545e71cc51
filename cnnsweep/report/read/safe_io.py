"""Reading files that cannot be trusted: up to a size, as plain data, with one line on damage."""

import csv
import json
import math
import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import Any

import yaml

from cnnsweep.errors import on_one_line
from cnnsweep.folders.run_folder import present
from cnnsweep.report.read.escape import plain

Scalar = str | int | float | bool | None

_LARGEST_TEXT = 4 << 20
_LARGEST_CSV = 128 << 20
_MOST_KEYS = 5_000
_PATHS = "tag:yaml.org,2002:python/object/apply:pathlib."


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """Plain values, and as text the paths that OmegaConf writes of a typed config."""


def _path(loader: Any, _kind: str, node: Any) -> str:
    return str(PurePosixPath(*map(str, loader.construct_sequence(node))))


_Loader.add_multi_constructor(_PATHS, _path)


class Damaged(Exception):
    """A file that cannot be used; the message is one line and does not name the file."""


def read_text(path: Path, largest: int = _LARGEST_TEXT) -> str:
    """The text of a file of at most ``largest`` bytes. Raises Damaged."""
    try:
        with present(path.parent, path.name).open("rb") as file:
            content = file.read(largest + 1)
        if len(content) > largest:
            raise Damaged(f"larger than {largest >> 20} MiB")
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Damaged("not UTF-8 text") from error
    except OSError as error:
        raise Damaged(error.strerror or type(error).__name__) from error


def read_json(path: Path) -> dict[str, Any]:
    """A JSON file that holds an object. Raises Damaged."""
    try:
        content = json.loads(read_text(path))
    except (ValueError, RecursionError) as error:
        raise Damaged(f"not JSON: {on_one_line(error)[:160]}") from error
    return _mapping(content)


def read_yaml(path: Path) -> dict[str, Any]:
    """A YAML file that holds a mapping; tags build no objects. Raises Damaged."""
    return _parse_whole(read_text(path))


def flat_yaml(text: str) -> dict[str, Scalar]:
    """The leaves of the mapping in a YAML text, by dotted key. Raises Damaged.

    Top-level blocks are parsed one by one and remembered, since the configs of a sweep share
    nearly all of theirs; whatever does not fall into such blocks is parsed as a whole.
    """
    blocks = re.split(r"\n(?=[A-Za-z_])", text)
    if blocks[0][:1].isalpha() or blocks[0][:1] == "_":
        try:
            merged: dict[str, Scalar] = {}
            for block in blocks:
                merged |= _flat_block(block)
        except Damaged:
            pass  # a value may reach over blocks: only the whole text tells whether it is damaged
        else:
            return merged
    return flatten(_parse_whole(text))


@lru_cache(maxsize=4096)
def _flat_block(block: str) -> dict[str, Scalar]:
    return flatten(_parse_whole(block))


def _parse_whole(text: str) -> dict[str, Any]:
    try:
        return _mapping(yaml.load(text, Loader=_Loader))
    except (yaml.YAMLError, ValueError, TypeError, RecursionError) as error:
        raise Damaged(f"not YAML: {on_one_line(error)[:160]}") from error


def _mapping(content: Any) -> dict[str, Any]:
    if not isinstance(content, dict):
        raise Damaged(f"a mapping was expected, not {type(content).__name__}")
    return content


def flatten(tree: Mapping[Any, Any]) -> dict[str, Scalar]:
    """Leaves by dotted key; lists become text. Raises Damaged where there are too many."""
    flat: dict[str, Scalar] = {}
    for count, (key, value) in enumerate(_leaves(tree, "", 0)):
        if count >= _MOST_KEYS:
            raise Damaged(f"more than {_MOST_KEYS:,} keys")
        flat[key] = value
    return flat


def _leaves(tree: Mapping[Any, Any], prefix: str, depth: int) -> Iterator[tuple[str, Scalar]]:
    if depth > 20:
        raise Damaged("nested more than 20 levels deep")
    for key, value in tree.items():
        name = plain(f"{prefix}{key}")
        if isinstance(value, Mapping):
            yield from _leaves(value, f"{name}.", depth + 1)
        else:
            yield name, _scalar(value)


def _scalar(value: Any) -> Scalar:
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return plain(value)
    if value != value:
        return math.nan  # the same object, which sets and tuples take for itself
    if isinstance(value, int | float):
        return value if abs(value) < 1e300 or not isinstance(value, int) else str(value)[:40]
    if isinstance(value, list | tuple):
        # Lists within lists are not shown: one may hold itself, or grow to a huge text.
        shown = [_scalar(v) if not isinstance(v, list | dict) else "…" for v in value[:20]]
        return json.dumps(shown, ensure_ascii=False)[:200]
    return plain(str(value)[:200])


def read_columns(path: Path) -> dict[str, list[float | None]]:
    """The numeric columns of a CSV file with a header; empty and textual cells are None.

    A last line that is shorter than the header is left out: the run may be writing it just now.

    Raises:
        Damaged: another line does not fit the header, or the file cannot be read.
    """
    try:
        rows = [row for row in csv.reader(read_text(path, _LARGEST_CSV).splitlines()) if row]
    except csv.Error as error:
        raise Damaged(f"not CSV: {on_one_line(error)[:160]}") from error
    if not rows:
        return {}
    header, body = rows[0], rows[1:]
    if body and len(body[-1]) < len(header):
        body.pop()
    for number, row in enumerate(body, start=2):
        if len(row) != len(header):
            raise Damaged(f"line {number} has {len(row)} cells, the header {len(header)}")
    columns = zip(*body, strict=True) if body else ((),) * len(header)
    return {
        name: [_number(cell) for cell in column]
        for name, column in zip(header, columns, strict=True)
    }


def _number(cell: str) -> float | None:
    try:
        number = float(cell)
    except ValueError:
        return None
    return number if math.isfinite(number) else None
