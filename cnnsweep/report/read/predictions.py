"""What runs predicted for each test image (test_predictions.csv), and the names of classes."""

import csv
import io
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from cnnsweep.errors import on_one_line
from cnnsweep.folders.run_folder import PREDICTION_COLUMNS, RESULT, TEST_PREDICTIONS
from cnnsweep.report.read.run_record import Run
from cnnsweep.report.read.safe_io import Damaged, read_json, read_text

_LARGEST = 64 << 20
_NUMBERS = 3  # columns that every row has: index, label, prediction
_HEADER, _CONFIDENCE = ",".join(PREDICTION_COLUMNS[:_NUMBERS]), PREDICTION_COLUMNS[_NUMBERS]
_LONGEST_NAME = 200  # characters of a class's
_MOST_CLASSES = 10_000
Integers = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Predictions:
    """One run's predictions; the arrays have a value for each test image.

    ``confidence``: of the predicted class, from 0 to 1; None where not every image has one.
    """

    index: Integers
    label: Integers
    predicted: Integers
    confidence: Floats | None = None

    @property
    def right(self) -> npt.NDArray[np.bool_]:
        """Which images the run got right."""
        right: npt.NDArray[np.bool_] = self.predicted == self.label
        return right

    def same_images(self, other: "Predictions") -> bool:
        """Whether both saw the same images in the same order."""
        return np.array_equal(self.index, other.index) and np.array_equal(self.label, other.label)


class PredictionFiles:
    """Reads each file at most once; a damaged one gives None and a line in ``problems``."""

    def __init__(self, problems: list[str]) -> None:
        self._problems = problems
        self._read: dict[Path, Predictions | None] = {}

    def get(self, run: Run) -> Predictions | None:
        """The run's predictions; None where there are none that can be read."""
        if not run.images:
            return None
        path = run.folder / TEST_PREDICTIONS
        if path not in self._read:
            try:
                self._read[path] = _parse(read_text(path, _LARGEST))
            except Damaged as damage:
                self._problems.append(f"{path}: {damage}")
                self._read[path] = None
        return self._read[path]

    def class_names(self, run: Run) -> list[str]:
        """The names of the run's classes in the order of their numbers; [] where unknown."""
        try:
            names = read_json(run.folder / RESULT).get("classes") or _names_in_rows(run)
        except Damaged:
            return []
        return [str(name)[:_LONGEST_NAME] for name in names] if isinstance(names, list) else []


def _names_in_rows(run: Run) -> list[str]:
    """From the predictions, where the result tells no classes; numbers for those not seen."""
    named: dict[int, str] = {}
    for row in rows_of(run):
        for number, name in ((row["label"], "label_name"), (row["prediction"], "prediction_name")):
            if number.isdecimal() and int(number) < _MOST_CLASSES and row.get(name):
                named[int(number)] = row[name]
    return [named.get(n, str(n)) for n in range(max(named, default=-1) + 1)]


def rows_of(run: Run) -> list[dict[str, str]]:
    """The file's rows by column, text as it is; [] where it cannot be read.

    In the order of :class:`Predictions`. A file that lacks columns gives rows with fewer keys.
    """
    try:
        first, _, body = read_text(run.folder / TEST_PREDICTIONS, _LARGEST).partition("\n")
        rows = [row for row in csv.reader(io.StringIO(body, newline="")) if len(row) >= _NUMBERS]
    except (Damaged, csv.Error):
        return []
    header = tuple(first.rstrip("\r").split(","))
    is_ours = header == PREDICTION_COLUMNS[: len(header)]
    columns = header if is_ours else PREDICTION_COLUMNS[:_NUMBERS]
    return [dict(zip(columns, row, strict=False)) for row in rows]


def _parse(text: str) -> Predictions:
    header, _, body = text.partition("\n")
    if not header.startswith(_HEADER):
        raise Damaged(f"its header is not {_HEADER}")
    if not body.strip():
        raise Damaged("it has no rows")
    try:
        rows = [row[:4] for row in csv.reader(io.StringIO(body)) if row]  # later ones hold any text
        columns = np.array([row[:3] for row in rows]).astype(np.float64)
        with np.errstate(invalid="ignore"):  # nan is found below
            integers = columns.reshape(len(columns), 3).astype(np.int64)
    except (ValueError, csv.Error) as error:
        raise Damaged(f"not numbers: {on_one_line(error)[:160]}") from error
    if not np.array_equal(integers, columns):
        raise Damaged("indices, labels and predictions must be whole numbers")
    has_confidence = header.rstrip("\r").split(",")[3:4] == [_CONFIDENCE]
    index, label, predicted = integers.T
    confidence = _confidence(rows) if has_confidence else None
    return Predictions(index, label, predicted, confidence)


def _confidence(rows: list[list[str]]) -> Floats | None:
    try:
        found = np.array([row[3] for row in rows]).astype(np.float64)
    except (LookupError, ValueError):
        return None
    return found if ((found >= 0) & (found <= 1)).all() else None


def files_of(run: Run, indices: Iterable[int]) -> dict[int, str]:
    """The image file of each of these test images, where the run's predictions name one."""
    wanted = {str(index): index for index in indices}
    return {
        wanted[row["index"]]: row.get("file", "") for row in rows_of(run) if row["index"] in wanted
    }
