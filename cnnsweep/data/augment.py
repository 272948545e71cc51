"""Random changes of the training images, made on the device and drawn anew for each image."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn.functional import pad

from cnnsweep.errors import UserError


def augment(
    *, degrees: float, scale: Sequence[float], translate: float, crop: int, flip: float
) -> nn.Sequential:
    """A module for batches (float in 0..1, N × C × H × W), whose size it keeps.

    ``degrees``: rotated by up to this much to either side, in 0..180. ``scale``: smallest and
    largest factor. ``translate``: moved by up to this share of the width and height, in 0..1.
    ``crop``: padded with so many black pixels on all sides, then cut out at a random place.
    ``flip``: probability of being mirrored left to right. Pixels from outside are black.

    Everything is drawn from torch's global generators, so that seeding torch repeats it. Raises
    UserError for a value outside these ranges.
    """
    _check("degrees", degrees, _is_within(degrees, 180), "0 to 180")
    _check("scale", scale, _is_range(scale), "two numbers above 0, the smaller one first")
    _check("translate", translate, _is_within(translate, 1), "0 to 1, a share of the image's size")
    _check("crop", crop, isinstance(crop, int) and crop >= 0, "a whole number of pixels, 0 or more")
    _check("flip", flip, _is_within(flip, 1), "a probability, 0 to 1")
    steps: list[nn.Module] = []
    if degrees != 0 or translate != 0 or tuple(scale) != (1.0, 1.0):
        from kornia.augmentation import RandomAffine

        shift = (translate, translate)
        steps.append(RandomAffine(degrees, translate=shift, scale=tuple(scale), p=1.0))
    if crop != 0:
        steps.append(RandomCrop(padding=crop))
    if flip != 0:
        from kornia.augmentation import RandomHorizontalFlip

        steps.append(RandomHorizontalFlip(p=flip))
    return nn.Sequential(*steps)


class RandomCrop(nn.Module):
    """Each image moved by up to ``padding`` whole pixels each way, black coming in.

    Kornia's own either needs the image size beforehand and interpolates, or loops over the images.
    """

    def __init__(self, *, padding: int) -> None:
        super().__init__()
        self.padding = padding

    def draw(
        self, count: int, device: torch.device, generator: torch.Generator | None = None
    ) -> Tensor:
        """Top and left edge of each image's window: int64, count × 2."""
        places = 2 * self.padding + 1
        return torch.randint(places, (2, count), device=device, generator=generator).T

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
