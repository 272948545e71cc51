"""The final size of an image's feature maps, refused where nothing is left of it."""

from collections.abc import Callable
from itertools import count

from cnnsweep.errors import UserError


def final_size(
    model: str, image_size: tuple[int, int], side_after: Callable[[int], int]
) -> tuple[int, int]:
    """Height and width that a network leaves of ``image_size``.

    ``side_after`` tells the last side of a first side, below 1 where the image is too small;
    UserError then names the smallest size that fits.
    """
    height, width = image_size
    left = side_after(height), side_after(width)
    if min(left) < 1:
        smallest = next(side for side in count(1) if side_after(side) >= 1)
        raise UserError(
            f"images of {height}×{width} pixels are too small for this {model}: "
            f"at least {smallest}×{smallest} is needed"
        )
    return left
