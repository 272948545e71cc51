"""What runs predicted for each test image (test_predictions.csv), and the images themselves."""

import base64
import csv
import io
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from cnnsweep.errors import on_one_line
from cnnsweep.folders.run_folder import PREDICTION_COLUMNS, TEST_PREDICTIONS
from cnnsweep.report.read.run_record import Run
from cnnsweep.report.read.safe_io import Damaged, read_text

_HEADER, _CONFIDENCE = ",".join(PREDICTION_COLUMNS[:3]), PREDICTION_COLUMNS[3]
_LARGEST = 64 << 20
_FOLDERS = {"mnist": "MNIST", "fashion_mnist": "FashionMNIST", "kmnist": "KMNIST"}
_IMAGES = "t10k-images-idx3-ubyte"
_IDX_HEADER = 16  # bytes: magic, count, height, width, each a big-endian 32-bit number
_IDX_MAGIC = 0x00000803  # unsigned bytes, three dimensions
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
    return Predictions(*integers.T, confidence=_confidence(rows) if has_confidence else None)


def _confidence(rows: list[list[str]]) -> Floats | None:
    try:
        found = np.array([row[3] for row in rows]).astype(np.float64)
    except (LookupError, ValueError):
        return None
    return found if ((found >= 0) & (found <= 1)).all() else None


def addresses(root: Path | None, data: object, indices: Iterable[int]) -> dict[int, str]:
    """A ``data:`` address of each test image of MNIST or its like; {} where its file is missing.

    ``root`` is the folder that the user names: what a config names is not trusted.
    """
    if root is None or data not in _FOLDERS:
        return {}
    path = root / _FOLDERS[str(data)] / "raw" / _IMAGES
    if not path.is_file():
        return {}
    content = np.fromfile(path, dtype=np.uint8)
    if len(content) < _IDX_HEADER:
        return {}
    magic, count, height, width = (int(n) for n in content[:_IDX_HEADER].view(">u4"))
    if magic != _IDX_MAGIC or len(content) != _IDX_HEADER + count * height * width:
        return {}
    images = content[_IDX_HEADER:].reshape(count, height, width)
    return {index: _address(images[index]) for index in indices if 0 <= index < count}


def _address(pixels: np.ndarray[tuple[int, ...], np.dtype[np.uint8]]) -> str:
    from PIL import Image  # few reports show images

    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return f"data:image/png;base64,{base64.b64encode(file.getvalue()).decode()}"
