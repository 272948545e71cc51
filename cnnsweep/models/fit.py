"""Whether a network takes the data's images and gives one logit a class."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from cnnsweep.errors import UserError
from cnnsweep.models.dry_run import blank_images, traceless


def check_fits(
    model: nn.Module,
    in_channels: int,
    image_size: tuple[int, int],
    num_classes: int,
    *,
    train_batches: Sequence[int] = (2,),
) -> None:
    """Send blank images through the model, once for evaluation and once a size in training mode.

    ``train_batches`` are sizes of training batches that will occur. The last, partial one of a
    split may hold a single image, which batch norm on 1×1 maps refuses; an epoch should not have
    to end to find out. The model and the generators are left as they were.

    Raises:
        UserError: the model refuses the images, or gives something else than (N, num_classes).
    """
    with traceless(model):
        model.eval()
        _forward(model, 2, in_channels, image_size, num_classes, "2 images")
        model.train()
        for images in train_batches:
            where = f"a training batch of {images} image{'s' if images > 1 else ''}"
            _forward(model, images, in_channels, image_size, num_classes, where)


def _forward(
    model: nn.Module,
    images: int,
    in_channels: int,
    image_size: tuple[int, int],
    num_classes: int,
    where: str,
) -> None:
    name = type(model).__name__
    height, width = image_size
    blank = blank_images(model, images, in_channels, image_size)
    size = f"{in_channels}×{height}×{width}"
    try:
        logits = model(blank)
    # What a network raises for images it can't take: torch's layers the first two, torchvision's
    # transformers the third.
    except (RuntimeError, ValueError, AssertionError) as error:
        reason = (str(error) or type(error).__name__).splitlines()[0]
        raise UserError(
            f"the model {name} does not take {where} of {size} (channels×height×width): {reason}"
        ) from error
    if not isinstance(logits, Tensor):
        raise UserError(f"the model {name} gives a {type(logits).__name__}, not a tensor of logits")
    if logits.shape != torch.Size([images, num_classes]):
        raise UserError(
            f"the model {name} gives a tensor of shape {tuple(logits.shape)} for {images} images "
            f"of {size}: needed is (images, classes) = ({images}, {num_classes})"
        )
