"""About a finished network: whether it fits the data, a table of its layers, its last layer."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch
import torchinfo
from torch import Tensor, nn

from cnnsweep.errors import UserError


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
    split may hold a single image, which batch norm on 1×1 maps refuses; without this check the run
    would fail at the end of its first epoch. The model and the generators are left as they were.

    Raises:
        UserError: the model refuses the images, or gives something else than (N, num_classes).
    """
    with traceless(model):
        model.eval()
        _forward(model, blank_images(model, 2, in_channels, image_size), num_classes, "2 images")
        model.train()
        for images in train_batches:
            where = f"a training batch of {images} image{'s' if images > 1 else ''}"
            blank = blank_images(model, images, in_channels, image_size)
            _forward(model, blank, num_classes, where)


def _forward(model: nn.Module, blank: Tensor, num_classes: int, where: str) -> None:
    name = type(model).__name__
    images, *sides = blank.shape
    size = "×".join(map(str, sides))
    try:
        logits = model(blank)
    # Raised for a wrong size: the first two by torch, AssertionError by torchvision's transformers.
    except (RuntimeError, ValueError, AssertionError) as error:
        reason = (str(error) or type(error).__name__).splitlines()[0]
        if images == 1:
            reason += "; another data.batch_size leaves no batch of a single image"
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


def layer_table(model: nn.Module, in_channels: int, image_size: tuple[int, int]) -> str:
    """Plain text, a line a layer: name, output shape for one image, number of parameters.

    The model and the generators are left as they were.
    """
    with traceless(model):
        # Given sizes instead of data, torchinfo would draw random images.
        images = blank_images(model, 1, in_channels, image_size)
        table = torchinfo.summary(
            model,
            input_data=images,
            depth=10,
            col_names=("output_size", "num_params"),
            row_settings=("var_names",),
            verbose=0,
        )
    return str(table)


def last_layer(model: nn.Module) -> nn.Module:
    """The last linear or convolution layer in the order of definition.

    With ``freeze=true`` only it is trained; for another number of classes it has other shapes.
    UserError for a model without any such layer.
    """
    return model.get_submodule(last_layer_name(model))


def last_layer_name(model: nn.Module) -> str:
    """The dotted name of `last_layer`: its weights' names in a state dict begin with it."""
    names: list[str] = [
        name for name, module in model.named_modules() if isinstance(module, nn.Linear | nn.Conv2d)
    ]
    if not names:
        raise UserError(f"the model {type(model).__name__} has no linear or convolution layer")
    return names[-1]
