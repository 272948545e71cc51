"""Labelled images as tensors, and a data set: training images and test images."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from hashlib import blake2b

import torch
from torch import Tensor

from cnnsweep.data.placed import copies

_MOST_AVERAGED = 1000


@dataclass(frozen=True)
class Images:
    """Labelled images of one size.

    Args:
        stored: uint8 (M, C, H, W); may be a mapped file that processes share: never write to it.
        labels: int64 (N,), each in 0..num_classes-1.
        rows: int64 (N,), which of the M stored images these are; None: all of them.
    """

    stored: Tensor
    labels: Tensor
    rows: Tensor | None = None

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def pixels(self) -> Tensor:
        """uint8, N × C × H × W; a copy unless ``rows`` is None."""
        return self.stored if self.rows is None else self.stored.index_select(0, self.rows)

    def to(
        self,
        device: torch.device | str,
        order: torch.memory_format = torch.contiguous_format,
    ) -> "Images":
        """The same images on ``device``; nothing is copied when they are there already.

        Elsewhere than on a CPU all that come from one store share one copy of it, in an ``order``
        of bytes, which stays as long as the store; but few images of a large one are copied alone.
        """
        device = torch.device(device)
        if self.stored.device == device:
            return self
        labels = self.labels.to(device)
        if device.type == "cpu" or not copies.wanted(self.stored, len(self), device, order):
            return Images(self.pixels.to(device, memory_format=order), labels)
        rows = None if self.rows is None else self.rows.to(device)
        return Images(copies.get(self.stored, device, order), labels, rows)

    def by_class(self, num_classes: int) -> list[int]:
        """How many of these images each class has."""
        counts: list[int] = self.labels.bincount(minlength=num_classes).tolist()
        return counts

    def take(self, index: Tensor) -> "Images":
        """The images at ``index`` (int64), in that order; no pixels are copied."""
        rows = index if self.rows is None else self.rows[index]
        return Images(self.stored, self.labels[index], rows)


@dataclass(frozen=True)
class Contents:
    """What is known of a data set's files without decoding a test image.

    Args:
        digests: a hash of each file's bytes, by its name in the data set wherever that lies.
        test: number of test images.
    """

    digests: Mapping[str, str]
    test: int

    @cached_property
    def summary(self) -> str:
        """A hash of all names and hashes; of tens of thousands it takes a tenth of a second."""
        return blake2b(json.dumps(sorted(self.digests.items())).encode()).hexdigest()


@dataclass(frozen=True)
class Dataset:
    """A data set as its files hold it. Jobs of a process share it: don't write into it.

    Args:
        name: the data set's, or its folder's.
        classes: names in the order of their labels.
        train: the images to train on.
        test: reads the test images, only when it is called: a search, which must not use them,
            never calls it.
        val: the images that the files set apart for validation; None: they set none apart.
        train_files: where each image of ``train`` lies, relative to the data set's folder, with
            ``/`` between the parts; empty where images have no file of their own.
        val_files: the same for ``val``.
        test_files: the same for what ``test`` returns.
        notes: lines that a person should read before training.
        contents: of its files; None where it has none, or is a user's own and says nothing.
    """

    name: str
    classes: tuple[str, ...]
    train: Images
    test: Callable[[], Images]
    val: Images | None = None
    train_files: tuple[str, ...] = ()
    val_files: tuple[str, ...] = ()
    test_files: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    contents: Contents | None = None

    @cached_property
    def lightness(self) -> float:
        """Mean of the training images' pixels in 0..1; of many images, of a thousand."""
        step = max(len(self.train) // _MOST_AVERAGED, 1)
        some = self.train.take(torch.arange(0, len(self.train), step))
        return float(some.pixels.double().mean() / 255)

    @property
    def in_channels(self) -> int:
        """1 for grey images, 3 for colour."""
        return self.train.stored.shape[1]

    @property
    def image_size(self) -> tuple[int, int]:
        """Height and width in pixels."""
        return self.train.stored.shape[2], self.train.stored.shape[3]

    @property
    def num_classes(self) -> int:
        """Number of classes, including those without a training image."""
        return len(self.classes)
