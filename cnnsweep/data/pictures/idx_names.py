"""What the files of MNIST and its successors are called, and where below a folder they may lie."""

from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import NamedTuple

FOLDERS = ("MNIST", "FashionMNIST", "KMNIST", "EMNIST")  # torchvision's


class Names(NamedTuple):
    """Images and labels to train on, images and labels to test with."""

    train_images: str
    train_labels: str
    test_images: str
    test_labels: str


def names(split: str | None = None) -> Names:
    """The names of the four files; ``split`` is one of EMNIST's."""
    parts = (
        ("train", "t10k") if split is None else (f"emnist-{split}-train", f"emnist-{split}-test")
    )
    ends = ("images-idx3-ubyte", "labels-idx1-ubyte")
    return Names(*(f"{part}-{end}" for part in parts for end in ends))


def find(root: Path, folder: str, name: str) -> Path | None:
    """The file ``name`` of the data set with torchvision's ``folder``; None where it isn't there.

    It lies in torchvision's folders, or one of them is ``root``; it may be gzipped.
    """
    places = (path for path in _places(root, folder, name) if path.is_file())
    return next((path for path in places if _is_of(folder, path)), None)


def _is_of(folder: str, file: Path) -> bool:
    # The families share their file names: KMNIST's must not be read from a folder MNIST/raw.
    owners = [part for part in file.parts if part in FOLDERS]
    return not owners or owners[-1] == folder


def _places(root: Path, folder: str, name: str) -> Iterator[Path]:
    folders = (root / folder / "raw", root / folder, root / "raw", root)
    # Some mirrors name the files train-images.idx3-ubyte.
    spellings = (name, name.replace("-idx", ".idx"))
    for place, spelling, end in product(folders, spellings, ("", ".gz")):
        yield place / f"{spelling}{end}"
