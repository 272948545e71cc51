"""SVHN: digits of house numbers, photographed from the street."""

from pathlib import Path
from typing import Any

import torch

from cnnsweep.data.dataset import Dataset, Images
from cnnsweep.data.source_files import as_folder, check_md5, decoded_once, missing
from cnnsweep.data.source_files import download as fetch
from cnnsweep.torchvision_import import torchvision


def svhn(*, root: str | Path, download: bool) -> Dataset:
    """3 × 32 × 32, 73,257 to train on and 26,032 to test (Netzer et al. 2011)."""
    reader = torchvision().datasets.SVHN
    root = _with_files(as_folder(root), reader)
    files = [root / reader.split_list[part][1] for part in ("train", "test")]
    if download and not all(file.is_file() for file in files):
        fetch("svhn", root, lambda: _fetch_both(root, reader))
    for file in files:
        if not file.is_file():
            raise missing("svhn", file.name, root)
    return decoded_once("svhn", files, lambda: _decode(root, reader, files))


def _with_files(root: Path, reader: Any) -> Path:
    inner = root / "SVHN"
    return inner if (inner / reader.split_list["train"][1]).is_file() else root


def _fetch_both(root: Path, reader: Any) -> None:
    # The reader's own download reads what it fetched, and nothing reads the test images yet.
    for part in ("train", "test"):
        url, name, md5 = reader.split_list[part]
        torchvision().datasets.utils.download_url(url, root, name, md5)


def _decode(root: Path, reader: Any, files: list[Path]) -> Dataset:
    for file, part in zip(files, ("train", "test"), strict=True):
        check_md5(file, reader.split_list[part][2])
    return Dataset(
        name="svhn",
        classes=tuple("0123456789"),
        train=_images(reader(root, split="train")),
        test=lambda: _images(reader(root, split="test")),
    )


def _images(decoded: Any) -> Images:
    # The reader hands out a transposed view; N×C×H×W in memory makes the batches' gather fast.
    return Images(torch.from_numpy(decoded.data).contiguous(), torch.from_numpy(decoded.labels))
