"""The IDX format of MNIST and its successors, plain or gzipped.

Four bytes of magic (0, 0, 8 for unsigned bytes, number of dimensions), a big-endian 32-bit size for
each dimension, then the bytes. http://yann.lecun.com/exdb/mnist/
"""

import gzip
import zlib
from math import prod
from pathlib import Path

import torch
from torch import Tensor

from cnnsweep.data.dataset import Images
from cnnsweep.errors import UserError

IMAGE_DIMENSIONS = 3  # count, height, width
LABEL_DIMENSIONS = 1


def read(images_file: Path, labels_file: Path, num_classes: int, first_label: int) -> Images:
    """The N × 1 × H × W images of a pair of files; ``first_label`` becomes label 0.

    Raises UserError naming the file that is damaged or does not fit the other.
    """
    pixels = _array(images_file, IMAGE_DIMENSIONS)
    labels = _array(labels_file, LABEL_DIMENSIONS).long() - first_label
    if len(pixels) != len(labels):
        raise UserError(
            f"{labels_file} holds {len(labels)} labels, but {images_file} {len(pixels)} images: "
            "one of the two files is not the right one."
        )
    if len(labels) == 0:
        raise UserError(f"{images_file} holds no images.")
    if labels.min() < 0 or labels.max() >= num_classes:
        raise UserError(
            f"{labels_file} holds labels {labels.min() + first_label} to "
            f"{labels.max() + first_label}; allowed is {first_label} to "
            f"{num_classes - 1 + first_label}. The file is damaged or not the right one."
        )
    return Images(pixels.unsqueeze(1), labels)


def check(file: Path, dimensions: int) -> tuple[int, ...]:
    """The sizes in a plain file's header; UserError where it or the file's length is wrong.

    Reads the header alone: a damaged test file is found before training, its images unread.
    """
    try:
        with file.open("rb") as stream:
            header = stream.read(4 * (dimensions + 1))
        size = file.stat().st_size
    except OSError as error:
        raise UserError(f"{file} cannot be read: {error.strerror}.") from error
    return _shape(file, header, size, dimensions)


def count(file: Path) -> int:
    """How many images or labels a file says it holds, gzipped or not; nothing more is read."""
    with gzip.open(file) if file.suffix == ".gz" else file.open("rb") as stream:
        return int.from_bytes(stream.read(8)[4:], "big")


def _array(file: Path, dimensions: int) -> Tensor:
    if file.suffix != ".gz":
        return _mapped(file, dimensions)
    try:
        data = gzip.decompress(file.read_bytes())
    except (OSError, EOFError, zlib.error) as error:
        raise UserError(f"{file} is damaged or cannot be read: {error}.") from error
    shape = _shape(file, data, len(data), dimensions)
    body = bytearray(data[4 * (dimensions + 1) :])
    return torch.frombuffer(body, dtype=torch.uint8).view(shape) if body else torch.empty(shape)


def _mapped(file: Path, dimensions: int) -> Tensor:
    """A plain file mapped into memory, which all processes that read it share."""
    shape = check(file, dimensions)
    start = 4 * (dimensions + 1)
    try:
        # shared=False: writing into the tensor would not change the file.
        content = torch.from_file(
            str(file), shared=False, size=start + prod(shape), dtype=torch.uint8
        )
    except RuntimeError as error:
        raise UserError(f"{file} cannot be read: {str(error).splitlines()[0]}.") from error
    return content[start:].view(shape)


def _shape(file: Path, header: bytes, size: int, dimensions: int) -> tuple[int, ...]:
    kind = "images" if dimensions == IMAGE_DIMENSIONS else "labels"
    if header[:4] != bytes((0, 0, 8, dimensions)):
        raise UserError(
            f"{file} does not start as an IDX file of {kind} does: "
            f"got {header[:4].hex(' ') or 'nothing'}, allowed is 00 00 08 0{dimensions}."
        )
    start = 4 * (dimensions + 1)
    sizes = (header[at : at + 4] for at in range(4, start, 4))
    shape = tuple(int.from_bytes(size, "big") for size in sizes)
    if size != start + prod(shape):
        raise UserError(
            f"{file} is truncated or damaged: it says {shape[0]} {kind}, "
            f"which makes {start + prod(shape)} bytes, but has {size}."
        )
    return shape
