"""What only a few runs are asked for, and so is read when it is: typed words, sizes of splits."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import yaml

from cnnsweep.folders.data_record import validation_images
from cnnsweep.folders.run_folder import HYDRA, OVERRIDES, RESULT
from cnnsweep.folders.sweep_folder import DEFAULT_TRIAL, SweepFolder
from cnnsweep.folders.typed_words import in_quotes
from cnnsweep.report.read.escape import plain
from cnnsweep.report.read.run_record import Run
from cnnsweep.report.read.safe_io import Damaged, Scalar, read_json, read_text, read_yaml
from cnnsweep.rules import as_typed

_NAME = re.compile(r"(?!(?:null|true|false|nan|inf)$)[a-z_][a-z0-9_]*", re.IGNORECASE | re.ASCII)
_MARK = b'"default config"'  # of the trial that is it, in the journal
_NEW_TRIAL = b'"op_code":4,'
_MOST_LINES = 1000  # of a journal, up to its first trial


@dataclass(frozen=True, slots=True)
class Splits:
    """How many images a run's figures rest on; None where its folder does not say."""

    validation: int | None
    test: int | None
    brings_validation: bool  # the data have a validation split of their own


def split_sizes(run: Run) -> Splits:
    """The sizes of a run's validation and test split."""
    try:
        record = read_json(run.folder / RESULT).get("data")
    except Damaged:
        record = None
    data: dict[str, Any] = record if isinstance(record, dict) else {}
    test, val = data.get("test"), data.get("val")
    limit, fraction = run.config.get("data.train_limit"), run.config.get("data.val_fraction")
    return Splits(
        validation_images(data.get("train"), val, limit, fraction),
        test if isinstance(test, int) and test > 0 else None,
        isinstance(val, int),
    )


def words_of(run: Run, keys: Iterable[str]) -> list[str]:
    """The words that set these keys as they are in a run: typed, they give the same values.

    As they were typed for it; a key that nobody typed has its value in the config.
    """
    typed = dict(_typed(run.folder))
    return [
        typed[key] if key in typed else f"{key}={_value(run.config[key])}"
        for key in keys
        if key in typed or key in run.config
    ]


def _value(value: Scalar) -> str:
    """Lists are text by now, as Hydra takes it."""
    is_plain = not isinstance(value, str) or value.startswith("[") or _NAME.fullmatch(value)
    return as_typed(value) if is_plain else in_quotes(str(value))


def _typed(folder: Path) -> Iterator[tuple[str, str]]:
    """Keys and words of a run's overrides."""
    path = folder / HYDRA / OVERRIDES
    if path.is_symlink() or not path.is_file():
        return
    try:
        words = yaml.safe_load(read_text(path))
    except (Damaged, yaml.YAMLError, ValueError, RecursionError):
        return
    for word in words if isinstance(words, list) else ():
        key, sign, _ = str(word).partition("=")
        if sign:
            yield key.lstrip("+"), plain(str(word))


def default_trial(sweep: Path) -> int | None:
    """The number of the trial that is the config without the search; None where it is none.

    The results have it, or else the study's journal, where it is among the first lines.
    """
    folder = SweepFolder(sweep)
    try:
        number = read_yaml(folder.results).get(DEFAULT_TRIAL)
    except Damaged:
        number = None
    return number if isinstance(number, int) else _in_journal(folder.journal)


def _in_journal(journal: Path) -> int | None:
    if journal.is_symlink() or not journal.is_file():
        return None
    with journal.open("rb") as file:
        for line in islice(file, _MOST_LINES):
            if _NEW_TRIAL in line:  # it is enqueued before any other
                return 0 if _MARK in line else None
    return None
