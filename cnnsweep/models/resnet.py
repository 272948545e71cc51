"""Residual blocks (He et al. 2016, "Deep residual learning") on a small CNN."""

from collections.abc import Sequence
from typing import Unpack

from torch import Tensor, nn

from cnnsweep.models.layers import activation_layer, needs_bias, norm_layers
from cnnsweep.models.stages import (
    FeaturesAndHead,
    StageOptions,
    Window,
    head,
    pixels_after,
    stage,
)
from cnnsweep.rules import counts, whole


class ResNet(FeaturesAndHead):
    """A stage (valid convolution, activation, pooling) and ``blocks`` residual blocks, repeated.

    The MNIST article's network, which has one block a stage and no batch norm.
    """

    def __init__(
        self,
        *,
        in_channels: int,
        image_size: tuple[int, int],
        num_classes: int,
        channels: Sequence[int],
        kernel_size: int,
        blocks: int,
        dropout: float,
        init: str,
        **options: Unpack[StageOptions],
    ) -> None:
        channels = counts("model.channels").check(channels)
        kernel_size = whole("model.kernel_size", 1).check(kernel_size)
        blocks = whole("model.blocks", 1).check(blocks)
        window = Window(kernel_size, "valid", 1)
        pixels = pixels_after("resnet", image_size, [window] * len(channels), options["pooling"])
        layers: list[nn.Module] = []
        for out_channels in channels:
            layers.append(stage(in_channels, out_channels, window, **options))
            for _ in range(blocks):
                layers.append(ResidualBlock(out_channels, options["activation"], options["norm"]))
            in_channels = out_channels
        linear = head(channels[-1] * pixels, None, num_classes, dropout, options["activation"])
        super().__init__(nn.Sequential(*layers), linear, init)


class ResidualBlock(nn.Module):
    """f(x + conv3×3(f(conv3×3(x)))) for an activation f; a norm follows each convolution."""

    def __init__(self, channels: int, activation: str, norm: str) -> None:
        super().__init__()
        self.residual = nn.Sequential(
            nn.Conv2d(channels, channels, 3, padding=1, bias=needs_bias(norm)),
            *norm_layers(norm, channels),
            activation_layer(activation, in_place=True),
            nn.Conv2d(channels, channels, 3, padding=1, bias=needs_bias(norm)),
            *norm_layers(norm, channels),
        )
        self.activation = activation_layer(activation, in_place=True)

    def forward(self, maps: Tensor) -> Tensor:
        """Maps (N, channels, H, W) -> the same shape."""
        out: Tensor = self.activation(self.residual(maps).add_(maps))
        return out
