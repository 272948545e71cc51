"""SVHN: digits of house numbers, photographed from the street."""

from functools import partial
from pathlib import Path
from typing import Any

import torch

from cnnsweep.data.dataset import Contents, Dataset, Images
from cnnsweep.data.pictures.places import as_folder
from cnnsweep.data.source_files import all_present, check_md5, decoded_once
from cnnsweep.torchvision_import import torchvision

PARTS = ("train", "test")
TEST_IMAGES = 26_032


def svhn(*, root: str | Path, download: bool) -> Dataset:
    """3 × 32 × 32, 73,257 to train on and 26,032 to test (Netzer et al. 2011)."""
    reader = torchvision().datasets.SVHN
    root = _with_files(as_folder(root), reader)
    published = {root / reader.split_list[part][1]: reader.split_list[part][2] for part in PARTS}
    all_present("svhn", root, published, partial(_fetch, root, reader) if download else None)
    return decoded_once("svhn", published, lambda: _decode(root, reader, published))


def _with_files(root: Path, reader: Any) -> Path:
    inner = root / "SVHN"
    return inner if (inner / reader.split_list["train"][1]).is_file() else root


def _fetch(root: Path, reader: Any) -> None:
    # The reader's own download reads what it fetched, and nothing may read the test images yet.
    for part in PARTS:
        url, name, md5 = reader.split_list[part]
        torchvision().datasets.utils.download_url(url, root, name, md5)


def _decode(root: Path, reader: Any, published: dict[Path, str]) -> Dataset:
    check_md5(published)
    return Dataset(
        name="svhn",
        classes=tuple("0123456789"),
        train=_images(reader(root, split="train")),
        test=lambda: _images(reader(root, split="test")),
        contents=Contents({file.name: md5 for file, md5 in published.items()}, test=TEST_IMAGES),
    )


def _images(decoded: Any) -> Images:
    # The reader hands out a transposed view; N×C×H×W in memory makes the batches' gather fast.
    return Images(torch.from_numpy(decoded.data).contiguous(), torch.from_numpy(decoded.labels))
