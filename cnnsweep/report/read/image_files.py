"""The test images of our data sets, by number, read without torch; nothing is unpickled."""

import gzip
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import numpy.typing as npt

from cnnsweep.data.pictures import idx_names

Pixels = npt.NDArray[np.uint8]  # height × width, or height × width × 3
Integers = npt.NDArray[np.int64]
_LARGEST = 512 << 20  # bytes of a file
_IMAGE_HEADER, _LABEL_HEADER = 16, 8  # of an IDX file
_IMAGE_MAGIC = bytes((0, 0, 8, 3))  # unsigned bytes, three dimensions
_CIFAR_BATCH, _CIFAR_COUNT, _CIFAR_SIDE = "test_batch", 10_000, 32
_SVHN_FILE, _MATLAB = "test_32x32.mat", b"MATLAB 5.0 MAT-file"
_DIGITS_SEED, _DIGITS_SHARE = 20_260_101, 0.2  # as cnnsweep.data.split.split_off_test


@dataclass(frozen=True)
class SplitImages:
    """The images of one test split, and what tells whether they are those that a run saw.

    Args:
        images: of all of them, N × height × width, or N × height × width × 3.
        labels: of all of them; None where the files do not tell without being unpickled.
        files: what was read, by its name in the run folder's data.csv.
    """

    images: Pixels
    labels: Integers | None
    files: Mapping[str, Path] = field(default_factory=dict)


class Absent(Exception):
    """There is no such file, or it is not what it should be; the message is one line."""


def reader(data: str, split: str | None) -> Callable[[Path], SplitImages] | None:
    """What reads the test images of a data set of ours below a root; None for other data.

    ``split`` is EMNIST's. The reader raises Absent; digits need no root.
    """
    if data == "digits":
        return lambda _: _digits()
    if data in _FAMILIES:
        return partial(_idx, _FAMILIES[data], split if data == "emnist" else None)
    return {"cifar10": _cifar10, "svhn": _svhn}.get(data)


_FAMILIES = {
    "mnist": "MNIST", "fashion_mnist": "FashionMNIST", "kmnist": "KMNIST", "emnist": "EMNIST",
}  # fmt: skip


def _digits() -> SplitImages:
    """Scikit-learn's own 8 × 8 images, from which the networks' larger ones are made."""
    spec = find_spec("sklearn")
    if spec is None or spec.origin is None:
        raise Absent("scikit-learn, which contains the images, is not installed")
    path = Path(spec.origin).parent / "datasets" / "data" / "digits.csv.gz"
    table = np.loadtxt(path, delimiter=",", dtype=np.int64)
    kept = split_off_test(table[:, 64])
    pixels = np.round(table[kept, :64].reshape(-1, 8, 8) * (255 / 16)).astype(np.uint8)
    return SplitImages(pixels, table[kept, 64])


def split_off_test(labels: Integers) -> Integers:
    """The indices that ``cnnsweep.data.split.split_off_test`` keeps for testing, without torch."""
    shuffled = _permutation(len(labels), _DIGITS_SEED)
    sizes = np.bincount(labels)
    exact = sizes * round(_DIGITS_SHARE * len(labels)) / len(labels)
    counts = np.floor(exact).astype(np.int64)
    missing = round(_DIGITS_SHARE * len(labels)) - int(counts.sum())
    counts[np.argsort(counts - exact, kind="stable")[:missing]] += 1
    own = (shuffled[labels[shuffled] == label][:n] for label, n in enumerate(counts))
    return np.sort(np.concatenate(list(own)))


def _permutation(count: int, seed: int) -> Integers:
    """``torch.randperm`` on the CPU: Fisher and Yates by the same Mersenne twister."""
    draws = np.random.RandomState(seed).randint(0, 2**32, count - 1, dtype=np.uint32)
    order = np.arange(count)
    for place, draw in enumerate(draws.tolist()):
        other = place + draw % (count - place)
        order[place], order[other] = order[other], order[place]
    return order


def _idx(folder: str, split: str | None, root: Path) -> SplitImages:
    names = idx_names.names(split)
    found = {}
    for name in (names.test_images, names.test_labels):
        path = idx_names.find(root, folder, name)
        if path is None:
            raise Absent(f"{name} is not below {root}")
        found[name] = path
    pixels, labels = (_content(path) for path in found.values())
    shape = tuple(int(n) for n in pixels[4:_IMAGE_HEADER].view(">u4"))
    is_idx = bytes(pixels[:4]) == _IMAGE_MAGIC and len(shape) == 3
    if not is_idx or len(pixels) != _IMAGE_HEADER + int(np.prod(shape)):
        raise Absent(f"{found[names.test_images]} is damaged")
    images = pixels[_IMAGE_HEADER:].reshape(shape)
    if split is not None:
        images = images.transpose(0, 2, 1)  # EMNIST's files hold them so
    known = labels[_LABEL_HEADER:].astype(np.int64) - (split == "letters")
    return SplitImages(images, known, found)


def _cifar10(root: Path) -> SplitImages:
    """The pixels lie in the file as they are: they are cut out of it, and it isn't unpickled."""
    inner = "cifar-10-batches-py"
    path = _first([root / inner, root, root / "CIFAR10" / inner], _CIFAR_BATCH)
    size = _CIFAR_COUNT * 3 * _CIFAR_SIDE**2
    content = _read(path)
    length = size.to_bytes(4, "little")  # which a pickle tells before bytes, after one of:
    start = max(content.find(opcode + length) for opcode in (b"T", b"B")) + 5
    if start < 5 or len(content) < start + size:
        raise Absent(f"{path} is damaged")
    flat = np.frombuffer(content, np.uint8, size, start)
    images = flat.reshape(_CIFAR_COUNT, 3, _CIFAR_SIDE, _CIFAR_SIDE).transpose(0, 2, 3, 1)
    return SplitImages(images, None, {_CIFAR_BATCH: path})


def _svhn(root: Path) -> SplitImages:
    from scipy.io import loadmat
    from scipy.io.matlab import MatReadError

    path = _first([root, root / "SVHN"], _SVHN_FILE)
    try:
        with path.open("rb") as stream:
            if not stream.read(len(_MATLAB)) == _MATLAB:
                raise Absent(f"{path} is not MATLAB's")
        held = loadmat(path, variable_names=["X", "y"])
        images = np.asarray(held["X"], np.uint8).transpose(3, 0, 1, 2)
        labels = np.asarray(held["y"], np.int64).ravel() % 10  # the file's 10 is a 0
    except (OSError, ValueError, LookupError, TypeError, zlib.error, MatReadError) as error:
        raise Absent(f"{path} is damaged") from error
    return SplitImages(images, labels, {_SVHN_FILE: path})


def _first(folders: list[Path], name: str) -> Path:
    for folder in folders:
        if (folder / name).is_file():
            return folder / name
    raise Absent(f"{name} is not below {folders[0]}")


def _content(path: Path) -> Pixels:
    return np.frombuffer(_read(path), np.uint8)


def _read(path: Path) -> bytes:
    """All of a file, unpacked; at most so much that a page can be made of it."""
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as stream:
            content = stream.read(_LARGEST + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise Absent(f"{path} cannot be read") from error
    if len(content) > _LARGEST:
        raise Absent(f"{path} is larger than {_LARGEST >> 20} MiB")
    return content
