"""Where the files of a data set must lie, and what is plainly not there; without torch."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cnnsweep.data.pictures import idx_names
from cnnsweep.errors import UserError

_IDX = {  # by the function that reads them: its name for a person, and torchvision's folder
    "cnnsweep.data.mnist.mnist": ("mnist", "MNIST"),
    "cnnsweep.data.mnist.fashion_mnist": ("fashion_mnist", "FashionMNIST"),
    "cnnsweep.data.mnist.kmnist": ("kmnist", "KMNIST"),
    "cnnsweep.data.mnist.emnist": ("emnist", "EMNIST"),
}
_FETCHED = {  # the same, and what torchvision unpacks there
    "cnnsweep.data.cifar10.cifar10": ("cifar10", "CIFAR10", "cifar-10-batches-py"),
    "cnnsweep.data.svhn.svhn": ("svhn", "SVHN", "train_32x32.mat"),
}
_PICTURES = "cnnsweep.data.image_folder.image_folder"


def as_folder(root: str | Path) -> Path:
    """``root`` as an absolute path, ~ and links resolved; it need not exist.

    Raises UserError where it is no path (``data.root=null``).
    """
    if not isinstance(root, str | Path) or not str(root):
        raise UserError(f"data.root={root}: allowed is the path of a folder.")
    return Path(root).expanduser().resolve()


def missing(name: str, what: str, root: Path) -> UserError:
    """An error for files that are not below ``root``; ``what`` names them."""
    return UserError(
        f"data={name}: {what} not found below data.root={root}. Set data.root to the folder that "
        "holds the files, or data.download=true to download them, or data=digits, "
        "which needs no files."
    )


def no_classes(parent: Path, found: str) -> UserError:
    """An error for a folder of pictures without two folders for classes."""
    return UserError(
        f"data=image_folder: {parent} must hold two folders of images or more, one for each "
        f"class, but has {found}. Set data.root to the folder above the classes, "
        "or data=digits, which needs no files."
    )


def plainly_missing(data: Mapping[str, Any]) -> UserError | None:
    """The error of a run with this ``data`` config whose files are not there; else None.

    Files are looked for, and not read. None too where they would be downloaded, and for functions
    that are not ours, which may do anything.
    """
    target = str(data.get("_target_"))
    if data.get("download") or target not in (*_IDX, *_FETCHED, _PICTURES):
        return None
    try:
        root = as_folder(data.get("root", ""))
    except UserError as error:
        return error
    if target == _PICTURES:
        return None if root.is_dir() else no_classes(root, "none: it is no folder")
    if target in _FETCHED:
        name, folder, file = _FETCHED[target]
        places = (root / file, root / folder / file, root)
        is_there = any(place.name == file and place.exists() for place in places)
        return None if is_there else missing(name, file, root)
    name, folder = _IDX[target]
    wanted = idx_names.names(data.get("split"))
    absent = [file for file in wanted if idx_names.find(root, folder, file) is None]
    return missing(name, absent[0], root) if absent else None
