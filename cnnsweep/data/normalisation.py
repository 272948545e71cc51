"""From bytes to what networks are trained on: (pixel / 255 - mean) / std as one step."""

from collections.abc import Sequence
from math import isfinite

import torch
from torch import Tensor

from cnnsweep.errors import UserError


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
