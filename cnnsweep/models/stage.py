"""Stages of a small CNN: convolution, activation, 2×2 pooling, and what they do to a side."""

from collections.abc import Sequence
from itertools import pairwise

from torch import nn

from cnnsweep.errors import unknown
from cnnsweep.models.activation import activation_layer
from cnnsweep.models.norm import needs_bias, norm_layers
from cnnsweep.models.option import odd
from cnnsweep.models.pooling import pooling_layer

PADDINGS = ("same", "valid")


def stages(
    channels: Sequence[int],
    paddings: Sequence[str],
    *,
    kernel_size: int,
    activation: str,
    pooling: str,
    norm: str,
) -> nn.Sequential:
    """One `stage` from each entry of ``channels`` to the next, with its entry of ``paddings``."""
    return nn.Sequential(
        *(
            stage(
                in_channels,
                out_channels,
                kernel_size=kernel_size,
                padding=padding,
                activation=activation,
                pooling=pooling,
                norm=norm,
            )
            for (in_channels, out_channels), padding in zip(
                pairwise(channels), paddings, strict=True
            )
        )
    )


def stage(
    in_channels: int,
    out_channels: int,
    *,
    kernel_size: int,
    padding: str,
    activation: str,
    pooling: str,
    norm: str,
) -> nn.Sequential:
    """(N, in_channels, H, W) -> (N, out_channels, H', W') with sides as `side_after` says.

    Batch norm stands between convolution and activation, local response norm at the end, where
    it sees responses, as in GoogLeNet's stem.
    """
    if padding not in PADDINGS:
        raise unknown("model.padding", str(padding), PADDINGS)
    if padding == "same":
        odd("model.kernel_size", kernel_size)
    conv = nn.Conv2d(in_channels, out_channels, kernel_size, padding=padding, bias=needs_bias(norm))
    act, pool = activation_layer(activation), pooling_layer(pooling)
    # max(f(x)) = f(max(x)) for a monotone f, and ours all are: pooling first is the same function
    # with a quarter of the activations to compute. An average doesn't commute, so it comes last.
    pair = [pool, act] if pooling == "max" else [act, pool]
    normed = norm_layers(norm, out_channels)
    early, late = ([], normed) if norm == "local_response" else (normed, [])
    return nn.Sequential(conv, *early, *pair, *late)


def side_after(side: int, kernel_size: int, paddings: Sequence[str]) -> int:
    """Height or width after a stage for each of ``paddings``; below 1 if it started too small."""
    for padding in paddings:
        side = (side if padding == "same" else side - kernel_size + 1) // 2
    return side
