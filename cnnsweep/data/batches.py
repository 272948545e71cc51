"""Images on the device -> normalised batches, drawn by index."""

from collections.abc import Iterator, Sequence
from math import ceil, isfinite
from typing import Literal, get_args

import torch
from torch import Tensor, nn

from cnnsweep.data.dataset import Images
from cnnsweep.errors import UserError, unknown

Layout = Literal["contiguous", "channels_last"]


class Batches:
    """Each iteration yields all images once, as pairs (x, y).

    x is float32, N × C × H × W in the memory layout asked for, (pixel / 255 - mean) / std; y is
    int64, N. The last batch may be smaller. With ``shuffle`` the order is drawn anew for each
    iteration from the global generator of the images' device, so that seeding torch repeats it.
    ``augment`` gets float images in 0..1 and keeps their shape.

    What `at` reads may be read by others, who gather for several runs at once, and never written:

    ``pixels``: uint8 in the order of the layout, N × C × H × W or, where ``is_channels_last``,
    N × H × W × C. ``rows``: int64, which of them these images are; None: all. ``labels``: int64,
    one an image. ``scale`` and ``shift``: float32, C × 1 × 1 or C, what pixels in 0..255 are
    multiplied with, and what is added then. ``augment``: see above.
    """

    def __init__(
        self,
        images: Images,
        *,
        batch_size: int,
        mean: float | Sequence[float],
        std: float | Sequence[float],
        shuffle: bool,
        layout: Layout,
        augment: nn.Module | None,
    ) -> None:
        """``mean`` and ``std`` are one number or one for each channel, for pixels in 0..1.

        Raises UserError for a batch size below 1, or, when shuffling, above the number of images.
        """
        if layout not in get_args(Layout):
            raise unknown("layout", layout, get_args(Layout))
        _check_batch_size(batch_size, len(images), shuffle)
        self.images = len(images)
        self.batch_size = batch_size
        self._shuffle = shuffle
        self.augment = augment
        self.is_channels_last = layout == "channels_last"
        channels = images.stored.shape[1]
        # Kept in the order of the layout, so that a gathered batch needs no second copy. Images
        # already in it (those of one channel are in both) are not copied: others may share them.
        self.pixels, self.rows = self._in_order(images.stored), images.rows
        if not self.pixels.is_contiguous():
            self.pixels, self.rows = self._in_order(images.pixels).contiguous(), None
        self.labels = images.labels
        shape = (channels,) if self.is_channels_last else (channels, 1, 1)
        self.scale, self.shift = (
            numbers.view(shape).to(self.pixels.device)
            for numbers in normalisation(mean, std, channels)
        )

    def __len__(self) -> int:
        """Number of batches."""
        return ceil(self.images / self.batch_size)

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        return map(self.at, self._indices())

    def at(self, index: Tensor | slice) -> tuple[Tensor, Tensor]:
        """The batch of the images with these numbers (int64, on their device), augmented anew."""
        rows = index if self.rows is None else _select(self.rows, index)
        return self._prepare(_select(self.pixels, rows)), _select(self.labels, index)

    def shares_pixels(self, other: "Batches") -> bool:
        """Whether ``pixels`` of both are the same memory, so that one gathering can serve both."""
        mine, theirs = (
            (pixels.data_ptr(), pixels.shape, pixels.stride())
            for pixels in (self.pixels, other.pixels)
        )
        return mine == theirs

    def draw_order(self, generator: torch.Generator | None = None) -> Tensor:
        """An order of all images (int64, on their device), drawn as for an iteration.

        ``generator`` is of their device; None: its global one.
        """
        return torch.randperm(self.images, device=self.labels.device, generator=generator)

    def _indices(self) -> Iterator[Tensor | slice]:
        if self._shuffle:
            yield from torch.split(self.draw_order(), self.batch_size)
        else:
            for start in range(0, self.images, self.batch_size):
                yield slice(start, start + self.batch_size)

    def _in_order(self, pixels: Tensor) -> Tensor:
        return pixels.permute(0, 2, 3, 1) if self.is_channels_last else pixels

    def _prepare(self, pixels: Tensor) -> Tensor:
        """uint8 in the order of the layout -> float32, N × C × H × W."""
        x = pixels.float()
        if self.augment is not None:
            x = self._augmented(x, self.augment)
        # (x / 255 - mean) / std with one multiplication and one addition; in place, which on a CPU
        # takes a third less time than addcmul into new memory.
        x = x.mul_(self.scale).add_(self.shift)
        return x.permute(0, 3, 1, 2) if self.is_channels_last else x

    def _augmented(self, x: Tensor, augment: nn.Module) -> Tensor:
        x = x.permute(0, 3, 1, 2) if self.is_channels_last else x  # N × C × H × W
        x = augment(x / 255) * 255
        return x.permute(0, 2, 3, 1).contiguous() if self.is_channels_last else x.contiguous()


def _select(tensor: Tensor, index: Tensor | slice) -> Tensor:
    if isinstance(index, slice):
        return tensor[index]
    return tensor.index_select(0, index)  # measured twice as fast on a CPU as tensor[index]


def _check_batch_size(batch_size: int, images: int, shuffle: bool) -> None:
    # eval_batch_size may be larger than the split, which is then one batch.
    if batch_size < 1 and not shuffle:
        raise UserError(f"data.eval_batch_size={batch_size}: allowed is 1 or more.")
    if shuffle and not 1 <= batch_size <= images:
        raise UserError(
            f"data.batch_size={batch_size}: allowed is 1 to {images}, "
            "the number of images in the training split."
        )


def normalisation(
    mean: float | Sequence[float], std: float | Sequence[float], channels: int
) -> tuple[Tensor, Tensor]:
    """Factor and summand of each channel (float32, channels) for pixels in 0..255.

    ``mean`` and ``std`` are one number or one for each channel, for pixels in 0..1.
    Raises UserError for anything else, and for a ``std`` that is not above 0.
    """
    means = _per_channel("data.mean", mean, channels)
    stds = _per_channel("data.std", std, channels)
    if not bool((stds > 0).all()):
        raise UserError(f"data.std={std}: allowed are numbers above 0.")
    return (1 / (255 * stds)).float(), (-means / stds).float()


def _per_channel(key: str, value: float | Sequence[float], channels: int) -> Tensor:
    numbers = [value] if isinstance(value, int | float) else list(value)
    are_numbers = all(isinstance(n, int | float) and isfinite(n) for n in numbers)
    if not are_numbers or len(numbers) not in (1, channels):
        more = f", or {channels} of them, one for each channel" if channels > 1 else ""
        raise UserError(f"{key}={value}: allowed is one number{more}.")
    return torch.tensor(numbers, dtype=torch.float64).expand(channels)
