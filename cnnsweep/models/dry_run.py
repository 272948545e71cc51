"""A forward pass that leaves no trace in the model or the generators."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn


@contextmanager
def traceless(model: nn.Module) -> Iterator[None]:
    """Inside: no gradients. Afterwards: generators, buffers and each module's mode as before.

    Buffers are put back in place, so that a module or an optimiser that holds one keeps it.
    """
    buffers = [(buffer, buffer.clone()) for buffer in model.buffers()]
    modes = [(module, module.training) for module in model.modules()]
    device = model_device(model)
    with torch.random.fork_rng([device] if device.type == "cuda" else []), torch.no_grad():
        try:
            yield
        finally:
            for buffer, before in buffers:
                buffer.copy_(before)
            for module, training in modes:
                module.training = training


def blank_images(
    model: nn.Module, images: int, in_channels: int, image_size: tuple[int, int]
) -> Tensor:
    """Zeros (images, in_channels, H, W) on the model's device."""
    return torch.zeros(images, in_channels, *image_size, device=model_device(model))


def model_device(model: nn.Module) -> torch.device:
    """Where the model's first parameter lies; the CPU for a model without parameters."""
    parameter = next(model.parameters(), None)
    return torch.device("cpu") if parameter is None else parameter.device
