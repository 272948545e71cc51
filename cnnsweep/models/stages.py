"""Parts of networks: convolution stages, the linear head, and the number of pixels between."""

from collections.abc import Callable, Sequence
from math import prod
from typing import Any, NamedTuple, TypedDict

import torch
from torch import Tensor, nn

from cnnsweep.errors import UserError, unknown
from cnnsweep.models.cpu_forms import Conv2d, Stage
from cnnsweep.models.layers import (
    POOLINGS,
    Dropout,
    activation_layer,
    initialise,
    needs_bias,
    norm_layers,
    pooling_layer,
)
from cnnsweep.rules import Rule, counts, odd, share, whole

PADDINGS = ("same", "valid")
NO_POOLING = "none"


class StageOptions(TypedDict):
    """Arguments of a network that each `stage` gets; `layers` lists the names allowed."""

    activation: str
    pooling: str
    norm: str


class Window(NamedTuple):
    """Which pixels a stage's convolution sees: its kernel, its padding and how far it moves."""

    kernel_size: int
    padding: str
    stride: int

    def side_after(self, side: int) -> int:
        """A side of the maps that the convolution makes of maps with ``side``; below 1: none."""
        seen = 1 if self.padding == "same" else self.kernel_size
        return (side - seen) // self.stride + 1


class FeaturesAndHead(nn.Module):
    """A network of ``features``, which make maps of images, and a ``head`` for the logits.

    ``init`` is a name of `initialise`, which may draw the weights of all layers anew.
    """

    def __init__(self, features: nn.Module, head: nn.Module, init: str) -> None:
        super().__init__()
        self.features = features
        self.head = head
        initialise(self, init)

    def forward(self, images: Tensor) -> Tensor:
        """Images (N, in_channels, H, W) -> logits (N, num_classes)."""
        maps = self.features(images)  # (N, C, H', W')
        if maps.requires_grad and not torch.compiler.is_compiling():
            # Flattening hands back a contiguous gradient. Beside channels-last maps each layer's
            # backward pass would read it across the grain: a tenth of the time of a small network.
            maps.register_hook(_laid_out_as(maps))
        logits: Tensor = self.head(maps)  # (N, num_classes)
        return logits


def _laid_out_as(maps: Tensor) -> Callable[[Tensor], Tensor]:
    is_last = maps.is_contiguous(memory_format=torch.channels_last)
    layout = torch.channels_last if is_last else torch.contiguous_format
    return lambda gradient: gradient.contiguous(memory_format=layout)


def stages(
    in_channels: int,
    channels: Sequence[int],
    windows: Sequence[Window],
    *,
    activation: str,
    pooling: str | Sequence[str],
    norm: str,
) -> nn.Sequential:
    """One `stage` to each entry of ``channels``, with its entry of ``windows`` and ``pooling``."""
    layers = []
    poolings = poolings_per_stage(pooling, len(channels))
    each = zip(channels, windows, poolings, strict=True)
    for number, (out_channels, window, pool) in enumerate(each, 1):
        options: StageOptions = {"activation": activation, "pooling": pool, "norm": norm}
        may_widen = number < len(channels)  # the last one's maps go into the head
        layers.append(stage(in_channels, out_channels, window, may_widen=may_widen, **options))
        in_channels = out_channels
    return nn.Sequential(*layers)


def stage(
    in_channels: int,
    out_channels: int,
    window: Window,
    *,
    activation: str,
    pooling: str,
    norm: str,
    may_widen: bool = False,
) -> Stage:
    """(N, in_channels, H, W) -> (N, out_channels, H', W'): convolution, activation, 2×2 pooling.

    The convolution leaves of a side what `Window.side_after` says, pooling half of it, unless it
    is "none". Batch norm stands between convolution and activation, local response norm at the
    end, where it sees responses, as in GoogLeNet's stem.
    """
    size, padding, stride = window
    if padding not in PADDINGS:
        raise unknown("model.padding", str(padding), PADDINGS)
    if padding == "same":
        odd("model.kernel_size").check(size)
    conv = Conv2d(
        *(in_channels, out_channels, size),
        stride=stride,
        padding=size // 2 if padding == "same" else 0,
        bias=needs_bias(norm),
        may_widen=may_widen,
    )
    act, pools = activation_layer(activation, in_place=True), stage_pooling(pooling)
    # max(f(x)) = f(max(x)) for a monotone f, and ours all are: pooling first is the same function
    # with a quarter of the activations to compute. An average doesn't commute, so it comes last.
    pair = [*pools, act] if pooling == "max" else [act, *pools]
    normed = norm_layers(norm, out_channels)
    early, late = ([], normed) if norm == "local_response" else (normed, [])
    return Stage(conv, *early, *pair, *late)


def stage_pooling(name: str) -> list[nn.Module]:
    """The 2×2 pooling of a stage, if any; UserError for an unknown name."""
    if name not in (*POOLINGS, NO_POOLING):
        raise unknown("model.pooling", str(name), (*POOLINGS, NO_POOLING))
    return [] if name == NO_POOLING else [pooling_layer(name)]


def per_stage(key: str, value: Any, stages: int) -> list[int]:
    """A whole number of 1 or more for each stage, from one for all or a list of them.

    Raises:
        UserError: names the key, the value and what is allowed.
    """
    allowed = f"a whole number from 1 up, or a list of {stages}, one for each of model.channels"

    def each(value: Any) -> Any:
        return [value] * stages if isinstance(value, int) else value

    is_fit = counts(key).is_fit
    rule = Rule(key, lambda v: is_fit(each(v)) and len(each(v)) == stages, allowed)
    return list(each(rule.check(value)))


def poolings_per_stage(value: str | Sequence[str], stages: int) -> list[str]:
    """A ``model.pooling`` for each stage, from one for all or a list of them.

    A single name is not looked up: `stage` does so. Raises UserError for any other list or value.
    """
    if isinstance(value, str):
        return [value] * stages
    names = (*POOLINGS, NO_POOLING)
    rule = Rule(
        "model.pooling",
        lambda v: isinstance(v, Sequence) and len(v) == stages and all(one in names for one in v),
        f"one of {', '.join(names)}, or a list of {stages} of them, one for each of model.channels",
    )
    return list(rule.check(value))


def head(
    in_features: int,
    hidden: Sequence[int] | int | None,
    num_classes: int,
    dropout: float,
    activation: str,
) -> nn.Sequential:
    """(N, ...) with ``in_features`` values an image -> logits (N, num_classes).

    An activation follows each hidden layer; dropout stands before the last layer only.
    """
    dropout = share("model.dropout").check(dropout)
    layers: list[nn.Module] = [nn.Flatten()]
    for features in hidden_sizes(hidden):
        layers += [nn.Linear(in_features, features), activation_layer(activation, in_place=True)]
        in_features = features
    if dropout > 0:  # a dropout of 0 would still draw its masks
        layers.append(Dropout(dropout))
    layers.append(nn.Linear(in_features, num_classes))
    return nn.Sequential(*layers)


def hidden_sizes(hidden: Sequence[int] | int | None) -> list[int]:
    """``model.hidden`` as a list: null and [] are none, a single number is one layer."""
    if hidden is None or hidden == []:
        return []
    if isinstance(hidden, int):
        return [whole("model.hidden", 1).check(hidden)]
    return list(counts("model.hidden").check(hidden))


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
        smallest = _smallest(lambda side: side_after(side) >= 1)
        raise UserError(
            f"images of {height}×{width} pixels are too small for this {model}: "
            f"at least {smallest}×{smallest} is needed"
        )
    return left


def _smallest(is_enough: Callable[[int], bool]) -> int:
    """The first number from 1 up that is enough, as are all after it; quick for any number."""
    short, enough = 0, 1
    while not is_enough(enough):
        short, enough = enough, 2 * enough
    while enough - short > 1:
        middle = (short + enough) // 2
        short, enough = (short, middle) if is_enough(middle) else (middle, enough)
    return enough


def pixels_after(
    model: str,
    image_size: tuple[int, int],
    windows: Sequence[Window],
    pooling: str | Sequence[str],
) -> int:
    """Height times width after a stage for each of ``windows``; errors as of `final_size`."""
    poolings = poolings_per_stage(pooling, len(windows))

    def side_after(side: int) -> int:
        for window, pool in zip(windows, poolings, strict=True):
            side = window.side_after(side) // (1 if pool == NO_POOLING else 2)
        return side

    return prod(final_size(model, image_size, side_after))
