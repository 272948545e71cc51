"""How much each class counts in the loss: ``loss.weight`` as numbers."""

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from cnnsweep.errors import UserError, and_more

_KEY = "loss.weight"
_MOST_NAMES = 10


def class_weights(
    given: str | Sequence[float] | None, images: Sequence[int], classes: Sequence[str]
) -> Tensor | None:
    """One number for each class (float32, classes); None where all classes count alike.

    ``balanced`` gives a class of n_k of the N training images the weight N / (K n_k), K being the
    number of classes: all classes then weigh the same together, and the mean over images is 1.

    Args:
        given: None, ``balanced``, or the numbers themselves.
        images: training images of each class.
        classes: names of the classes, in the same order.

    Raises:
        UserError: a wrong number of weights, a weight that is not above 0, or ``balanced`` with a
            class without images; names the class.
    """
    if given is None:
        return None
    if isinstance(given, str):
        return _balanced(images, classes)
    if len(given) != len(classes):
        raise UserError(
            f"{_KEY}={list(given)} has {len(given)} numbers for {len(classes)} classes: one for "
            f"each is needed, in the order {and_more(classes, _MOST_NAMES)}"
        )
    for weight, name in zip(given, classes, strict=True):
        if not (math.isfinite(weight) and weight > 0):
            raise UserError(
                f"{_KEY}={list(given)} gives class {name!r} the weight {weight}: allowed are "
                f"numbers above 0, in the order {and_more(classes, _MOST_NAMES)}"
            )
    return torch.tensor(given, dtype=torch.float32)


def _balanced(images: Sequence[int], classes: Sequence[str]) -> Tensor:
    for count, name in zip(images, classes, strict=True):
        if count == 0:
            raise UserError(f"{_KEY}=balanced: class {name!r} has no training images")
    total, number = sum(images), len(classes)
    return torch.tensor([total / (number * count) for count in images], dtype=torch.float32)
