"""Small real files in the formats of the published data sets."""

import gzip
import hashlib
import pickle
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from scipy.io import savemat
from torch import Tensor

from cnnsweep.data.dataset import Images
from cnnsweep.torchvision_import import torchvision

TRAIN = 40
TEST = 20


def labelled(sizes: list[int]) -> Images:
    """Images of 1 × 2 × 2 whose pixels tell them apart, class after class."""
    labels = torch.repeat_interleave(torch.arange(len(sizes)), torch.tensor(sizes))
    numbers = torch.arange(len(labels))
    pixels = torch.stack([numbers // 256, numbers % 256, labels, labels], dim=1)
    return Images(pixels.to(torch.uint8).view(-1, 1, 2, 2), labels)


def numbers_of(images: Images) -> list[int]:
    """Which ones of ``labelled`` these are."""
    high, low = images.pixels[:, 0, 0, 0].long(), images.pixels[:, 0, 0, 1].long()
    return (high * 256 + low).tolist()


def idx_bytes(array: Tensor) -> bytes:
    sizes = b"".join(size.to_bytes(4, "big") for size in array.shape)
    return bytes((0, 0, 8, array.dim())) + sizes + array.to(torch.uint8).numpy().tobytes()


def write_idx(
    folder: Path,
    *,
    parts: tuple[str, str] = ("train", "t10k"),
    gzipped: bool = False,
    classes: int = 10,
    first_label: int = 0,
) -> None:
    """Four files; pixel (row, column) of image n is n + 10 row + column, label n % classes."""
    folder.mkdir(parents=True, exist_ok=True)
    for part, count in zip(parts, (TRAIN, TEST), strict=True):
        numbers = torch.arange(count)
        rows, columns = torch.arange(5), torch.arange(4)
        pixels = numbers[:, None, None] + 10 * rows[None, :, None] + columns
        labels = numbers % classes + first_label
        for name, array in (("images-idx3-ubyte", pixels), ("labels-idx1-ubyte", labels)):
            data = idx_bytes(array)
            if gzipped:
                (folder / f"{part}-{name}.gz").write_bytes(gzip.compress(data))
            else:
                (folder / f"{part}-{name}").write_bytes(data)


def md5_of(file: Path) -> str:
    return hashlib.md5(file.read_bytes()).hexdigest()


def write_cifar10(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The seven files of cifar-10-batches-py; torchvision takes their MD5s for the published."""
    folder = root / "cifar-10-batches-py"
    folder.mkdir(parents=True)
    names = [*(f"data_batch_{n}" for n in range(1, 6)), "test_batch"]
    for number, name in enumerate(names):
        data = np.full((10, 3072), number, np.uint8)
        data[:, :1024] = np.arange(10)[:, None]  # the red plane: the image's place in its file
        (folder / name).write_bytes(pickle.dumps({"data": data, "labels": list(range(10))}))
    labels = [f"kind {n}" for n in range(10)]
    (folder / "batches.meta").write_bytes(pickle.dumps({"label_names": labels}))
    reader = torchvision().datasets.CIFAR10
    for table in ("train_list", "test_list"):
        own = [[name, md5_of(folder / name)] for name, _ in getattr(reader, table)]
        monkeypatch.setattr(reader, table, own)
    monkeypatch.setitem(reader.meta, "md5", md5_of(folder / "batches.meta"))


def write_svhn(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The two .mat files, which call the digit 0 a 10; torchvision takes their MD5s as well."""
    root.mkdir(parents=True)
    split_list = torchvision().datasets.SVHN.split_list
    for part, count in (("train", TRAIN), ("test", TEST)):
        labels = np.arange(count) % 10
        pixels = np.broadcast_to(labels.astype(np.uint8), (32, 32, 3, count))
        y = np.where(labels == 0, 10, labels)[:, None].astype(np.uint8)
        savemat(root / f"{part}_32x32.mat", {"X": pixels, "y": y})
        url, name, _ = split_list[part]
        monkeypatch.setitem(split_list, part, [url, name, md5_of(root / name)])


def write_png_folders(root: Path, classes: dict[str, int], size: tuple[int, int] = (12, 8)) -> None:
    """For each class so many coloured PNGs, all of one colour, told apart by their red."""
    for label, (name, count) in enumerate(classes.items()):
        (root / name).mkdir(parents=True)
        for number in range(count):
            image = Image.new("RGB", size, (number, 100 * label, 50))
            image.save(root / name / f"{number:03}.png")
