"""Images with labels, and a data set made of two lots of them: one to train on, one to test."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Images:
    """Labelled images of one size.

    ``pixels`` is uint8, N × C × H × W; ``labels`` is int64, N, each in 0..num_classes-1.
    """

    pixels: Tensor
    labels: Tensor

    def __len__(self) -> int:
        return len(self.labels)

    def to(self, device: torch.device | str) -> "Images":
        """The same images on ``device``; nothing is copied when they are there already."""
        return Images(self.pixels.to(device), self.labels.to(device))

    def take(self, index: Tensor) -> "Images":
        """The images at ``index`` (int64), in that order, as a copy."""
        return Images(self.pixels[index], self.labels[index])


@dataclass(frozen=True)
class Dataset:
    """A data set as its files hold it. Shared between jobs of a process: don't write into it.

    ``test`` reads the test images when it is called and not before, so that a search, which must
    not know them, never does.
    """

    name: str
    classes: tuple[str, ...]
    train: Images
    test: Callable[[], Images]

    @property
    def in_channels(self) -> int:
        """1 for grey images, 3 for colour."""
        return self.train.pixels.shape[1]

    @property
    def image_size(self) -> tuple[int, int]:
        """Height and width in pixels."""
        return self.train.pixels.shape[2], self.train.pixels.shape[3]

    @property
    def num_classes(self) -> int:
        """Number of classes, those without a training image included."""
        return len(self.classes)
