"""The images that are measured with: MNIST's files where there are some, else made-up ones."""

import gzip
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

_PARTS = {"train": 60_000, "t10k": 10_000}


@contextmanager
def mnist_folder(given: Path | None) -> Iterator[tuple[Path, str]]:
    """A folder that torchvision and cnnsweep both read MNIST from, and what is in it.

    Without ``given``, files of MNIST's shape and size full of noise: as fast, and nothing to learn.
    """
    if given is not None:
        yield given, "MNIST"
        return
    with TemporaryDirectory() as folder:
        raw = Path(folder) / "MNIST" / "raw"
        raw.mkdir(parents=True)
        generator = np.random.default_rng(0)
        for part, count in _PARTS.items():
            pixels = generator.integers(0, 256, (count, 28, 28), dtype=np.uint8)
            labels = generator.integers(0, 10, count, dtype=np.uint8)
            _write(raw / f"{part}-images-idx3-ubyte", pixels)
            _write(raw / f"{part}-labels-idx1-ubyte", labels)
        yield Path(folder), "made-up 1×28×28 images"


def read_idx(file: Path) -> np.ndarray:
    """The array of an IDX file of unsigned bytes, plain or gzipped."""
    data = gzip.decompress(file.read_bytes()) if file.suffix == ".gz" else file.read_bytes()
    sizes = np.frombuffer(data, ">u4", count=data[3], offset=4)
    return np.frombuffer(data, np.uint8, offset=4 + 4 * data[3]).reshape(sizes)


def _write(file: Path, array: np.ndarray) -> None:
    header = bytes((0, 0, 8, array.ndim)) + np.array(array.shape, ">u4").tobytes()
    file.write_bytes(header + array.tobytes())
