"""What runs made of each test image, from their test_predictions.csv."""

import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from cnnsweep.errors import on_one_line
from cnnsweep.folders.run_folder import PREDICTION_COLUMNS, TEST_PREDICTIONS
from cnnsweep.report.read.run_record import Run
from cnnsweep.report.read.safe_io import Damaged, read_text

_HEADER = ",".join(PREDICTION_COLUMNS[:3])
_LARGEST = 64 << 20
Integers = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Predictions:
    """One run's predictions; the arrays have a value for each test image."""

    index: Integers
    label: Integers
    predicted: Integers

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


def _parse(text: str) -> Predictions:
    header, _, body = text.partition("\n")
    if not header.startswith(_HEADER):
        raise Damaged(f"its header is not {_HEADER}")
    if not body.strip():
        raise Damaged("it has no rows")
    try:
        columns = np.loadtxt(io.StringIO(body), delimiter=",", usecols=(0, 1, 2), ndmin=2)
        integers = columns.astype(np.int64)
    except ValueError as error:
        raise Damaged(f"not numbers: {on_one_line(error)[:160]}") from error
    if not np.array_equal(integers, columns):
        raise Damaged("indices, labels and predictions must be whole numbers")
    return Predictions(*integers.T)
