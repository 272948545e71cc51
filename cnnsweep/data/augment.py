"""Random changes of the training images, drawn and made on their device, anew for each image.

Each step is done in two: `draw` gives the numbers of so many images, `apply` changes images by
given numbers. So the images of several runs can be changed at once, each by its own run's draws.
Nothing waits for the device, and every shape is known beforehand: a CUDA graph can hold it all.
Each image's result depends on its own pixels and numbers alone, to the last bit.
"""

import math
from collections.abc import Sequence
from typing import Protocol

import torch
from torch import Tensor, nn
from torch.nn.functional import grid_sample, pad

from cnnsweep.errors import UserError


class Step(Protocol):
    """One kind of change."""

    def draw(
        self, count: int, device: torch.device, generator: torch.Generator | None = None
    ) -> Tensor:
        """Numbers for ``count`` images, a row each, on ``device``.

        From ``generator``, which is of that device, or from the device's global one.
        """

    def apply(self, images: Tensor, parameters: Tensor) -> Tensor:
        """Float N × C × H × W -> N × C × H × W; ``parameters`` are N rows of what was drawn."""


def augment(
    *, degrees: float, scale: Sequence[float], translate: float, crop: int, flip: float
) -> "Augmentation":
    """A module for batches (float in 0..1, N × C × H × W), whose size it keeps.

    ``degrees``: rotated by up to this much to either side, in 0..180. ``scale``: smallest and
    largest factor. ``translate``: moved by up to this share of the width and height, in 0..1.
    ``crop``: padded with so many black pixels on all sides, then cut out at a random place.
    ``flip``: probability of being mirrored left to right. Pixels from outside are black.

    Called, it draws from torch's global generators, so that seeding torch repeats it. Raises
    UserError for a value outside these ranges.
    """
    _check("degrees", degrees, _is_within(degrees, 180), "0 to 180")
    _check("scale", scale, _is_range(scale), "two numbers above 0, the smaller one first")
    _check("translate", translate, _is_within(translate, 1), "0 to 1, a share of the image's size")
    _check("crop", crop, isinstance(crop, int) and crop >= 0, "a whole number of pixels, 0 or more")
    _check("flip", flip, _is_within(flip, 1), "a probability, 0 to 1")
    steps: list[Step] = []
    if degrees != 0 or translate != 0 or tuple(scale) != (1.0, 1.0):
        steps.append(RandomAffine(degrees=degrees, scale=scale, translate=translate))
    if crop != 0:
        steps.append(RandomCrop(padding=crop))
    if flip != 0:
        steps.append(RandomFlip(probability=flip))
    return Augmentation(steps)


class Augmentation(nn.Module):
    """Steps, one after the other; its parameters are a list of theirs."""

    def __init__(self, steps: Sequence[Step]) -> None:
        super().__init__()
        self.steps = tuple(steps)

    def draw(
        self, count: int, device: torch.device, generator: torch.Generator | None = None
    ) -> list[Tensor]:
        """What each step draws for ``count`` images."""
        return [step.draw(count, device, generator) for step in self.steps]

    # Hides nn.Module.apply, which is for weights and submodules: these have none.
    def apply(self, images: Tensor, parameters: Sequence[Tensor]) -> Tensor:  # type: ignore[override]
        """Float N × C × H × W -> N × C × H × W; ``parameters`` has N rows for each step."""
        for step, drawn in zip(self.steps, parameters, strict=True):
            images = step.apply(images, drawn)
        return images

    def forward(self, x: Tensor) -> Tensor:
        """Float N × C × H × W -> N × C × H × W."""
        return self.apply(x, self.draw(len(x), x.device))


class RandomAffine:
    """Each image turned, resized about its centre and moved; bilinear, black from outside.

    ``degrees``, ``scale`` and ``translate`` are those of `augment`.
    """

    def __init__(self, *, degrees: float, scale: Sequence[float], translate: float) -> None:
        self.degrees = degrees
        self.scale = scale
        self.translate = translate

    def draw(
        self, count: int, device: torch.device, generator: torch.Generator | None = None
    ) -> Tensor:
        """Angle (degrees, clockwise), factor, and shares of the width and height to move by."""
        drawn = torch.empty((count, 4), device=device)
        drawn[:, 0].uniform_(-self.degrees, self.degrees, generator=generator)
        drawn[:, 1].uniform_(*self.scale, generator=generator)
        drawn[:, 2:].uniform_(-self.translate, self.translate, generator=generator)
        return drawn  # N × 4

    def apply(self, images: Tensor, parameters: Tensor) -> Tensor:
        """N × C × H × W -> N × C × H × W."""
        height, width = images.shape[2:]
        angle, factor, right, down = parameters.to(images.dtype).T[..., None, None]  # N × 1 × 1
        # Where each pixel comes from, counted in pixels from the centre. By single products and
        # sums, which a matrix product (affine_grid) may do in another order for other N.
        x = _from_centre(width, images) - right * width  # N × 1 × W
        y = _from_centre(height, images)[:, None] - down * height  # N × H × 1
        cos, sin = torch.cos(angle * _RADIAN) / factor, torch.sin(angle * _RADIAN) / factor
        from_x, from_y = cos * x + sin * y, cos * y - sin * x  # N × H × W
        places = torch.stack([from_x * (2 / width), from_y * (2 / height)], dim=3)  # N × H × W × 2
        return grid_sample(images, places, align_corners=False)


class RandomFlip:
    """Each image mirrored left to right with a probability in 0..1."""

    def __init__(self, *, probability: float) -> None:
        self.probability = probability

    def draw(
        self, count: int, device: torch.device, generator: torch.Generator | None = None
    ) -> Tensor:
        """Whether each image is mirrored."""
        return torch.rand(count, device=device, generator=generator) < self.probability

    def apply(self, images: Tensor, parameters: Tensor) -> Tensor:
        """N × C × H × W -> N × C × H × W."""
        return torch.where(parameters[:, None, None, None], images.flip(3), images)


class RandomCrop(nn.Module):
    """Each image moved by up to ``padding`` whole pixels each way, black coming in."""

    def __init__(self, *, padding: int) -> None:
        super().__init__()
        self.padding = padding

    def draw(
        self, count: int, device: torch.device, generator: torch.Generator | None = None
    ) -> Tensor:
        """Top and left edge of each image's window: int64, count × 2."""
        places = 2 * self.padding + 1
        return torch.randint(places, (2, count), device=device, generator=generator).T

    # Hides nn.Module.apply, which is for weights and submodules: this has none.
    def apply(self, images: Tensor, parameters: Tensor) -> Tensor:  # type: ignore[override]
        """N × C × H × W -> N × C × H × W."""
        count, _, height, width = images.shape
        padded = pad(images, [self.padding] * 4).permute(0, 2, 3, 1)  # N × H+2p × W+2p × C
        top, left = parameters.unbind(1)
        # A view of every window: one index an image, which takes less than half the time of one
        # a pixel.
        windows = padded.unfold(1, height, 1).unfold(2, width, 1)  # N × 2p+1 × 2p+1 × C × H × W
        return windows[torch.arange(count, device=images.device), top, left]

    def forward(self, x: Tensor) -> Tensor:
        """N × C × H × W -> N × C × H × W."""
        return self.apply(x, self.draw(len(x), x.device))


_RADIAN = math.pi / 180


def _from_centre(pixels: int, like: Tensor) -> Tensor:
    """How far the middle of each of so many pixels in a row is from the middle of the row."""
    return torch.arange(pixels, device=like.device, dtype=like.dtype) - (pixels - 1) / 2


def _check(key: str, value: object, fine: bool, allowed: str) -> None:
    if not fine:
        raise UserError(f"augment.{key}={value}: allowed is {allowed}.")


def _is_within(value: object, largest: float) -> bool:
    return isinstance(value, int | float) and 0 <= value <= largest


def _is_range(scale: object) -> bool:
    if not isinstance(scale, Sequence) or len(scale) != 2:
        return False
    low, high = scale
    return all(isinstance(end, int | float) for end in scale) and 0 < low <= high
