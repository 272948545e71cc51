"""CIFAR-10: colour photographs of ten kinds of things."""

from functools import partial
from pathlib import Path
from typing import Any

import torch

from cnnsweep.data.dataset import Contents, Dataset, Images
from cnnsweep.data.pictures.places import as_folder
from cnnsweep.data.source_files import all_present, check_md5, decoded_once
from cnnsweep.torchvision_import import torchvision

TEST_IMAGES = 10_000


def cifar10(*, root: str | Path, download: bool) -> Dataset:
    """3 × 32 × 32, 50,000 to train on and 10,000 to test (Krizhevsky 2009).

    ``root`` holds the folder cifar-10-batches-py, or is it. Its files are pickles, which is why
    they are read only where their MD5 is the published one.
    """
    reader = torchvision().datasets.CIFAR10
    root = _above_batches(as_folder(root), reader)
    listed = [*reader.train_list, *reader.test_list, (reader.meta["filename"], reader.meta["md5"])]
    published = {root / reader.base_folder / name: md5 for name, md5 in listed}
    fetch = partial(reader, root, download=True) if download else None
    all_present("cifar10", root, published, fetch)
    return decoded_once("cifar10", published, lambda: _decode(root, reader, published))


def _above_batches(root: Path, reader: Any) -> Path:
    if root.name == reader.base_folder:
        return root.parent
    inner = root / "CIFAR10"
    return inner if (inner / reader.base_folder).is_dir() else root


def _decode(root: Path, reader: Any, published: dict[Path, str]) -> Dataset:
    check_md5(published)
    train = reader(root, train=True)
    return Dataset(
        name="cifar10",
        classes=tuple(train.classes),
        train=_images(train),
        test=lambda: _images(reader(root, train=False)),
        contents=Contents({file.name: md5 for file, md5 in published.items()}, test=TEST_IMAGES),
    )


def _images(decoded: Any) -> Images:
    pixels = torch.from_numpy(decoded.data).permute(0, 3, 1, 2).contiguous()  # N×H×W×C -> N×C×H×W
    return Images(pixels, torch.tensor(decoded.targets))
