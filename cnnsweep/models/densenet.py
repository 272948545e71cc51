"""DenseNet-BC (Huang et al. 2017, "Densely connected convolutional networks"), small."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from cnnsweep.errors import UserError
from cnnsweep.models.layers import (
    Dropout,
    activation_layer,
    initialise,
    needs_bias,
    norm_layers,
    pooling_layer,
)
from cnnsweep.models.stages import final_size
from cnnsweep.rules import counts, flag, odd, share, whole


class DenseNet(nn.Module):
    """A stem, dense blocks with a transition between each two, an average over each last map.

    ``blocks`` lists the layers of each block; each layer adds ``growth_rate`` maps, through a 1×1
    convolution to ``bottleneck`` times as many. A transition keeps ``compression`` of the maps and
    halves their size. ``stem_pool`` halves the size before the first block, as the paper does
    for large images. ``dropout`` follows each layer's last convolution, as in the paper.
    """

    def __init__(
        self,
        *,
        in_channels: int,
        image_size: tuple[int, int],
        num_classes: int,
        stem_channels: int,
        stem_kernel_size: int,
        stem_pool: bool,
        growth_rate: int,
        blocks: Sequence[int],
        bottleneck: int,
        compression: float,
        activation: str,
        pooling: str,
        norm: str,
        dropout: float,
        init: str,
    ) -> None:
        super().__init__()
        channels = whole("model.stem_channels", 1).check(stem_channels)
        growth_rate = whole("model.growth_rate", 1).check(growth_rate)
        blocks = counts("model.blocks").check(blocks)
        bottleneck = whole("model.bottleneck", 1).check(bottleneck)
        dropout = share("model.dropout").check(dropout)
        kernel_size = odd("model.stem_kernel_size").check(stem_kernel_size)
        halvings = len(blocks) - 1 + flag("model.stem_pool").check(stem_pool)
        final_size("densenet", image_size, lambda side: side // 2**halvings)
        layers: list[nn.Module] = [
            nn.Conv2d(in_channels, channels, kernel_size, padding="same", bias=False)
        ]
        if stem_pool:
            layers.append(pooling_layer("max"))
        for number, size in enumerate(blocks):
            if number > 0:
                out_channels = compressed(channels, compression)
                layers.append(transition(channels, out_channels, activation, pooling, norm))
                channels = out_channels
            for _ in range(size):
                layers.append(
                    DenseLayer(channels, growth_rate, bottleneck, activation, norm, dropout)
                )
                channels += growth_rate
        layers += [*norm_layers(norm, channels), activation_layer(activation, in_place=True)]
        self.features = nn.Sequential(*layers)
        self.head = nn.Linear(channels, num_classes)
        initialise(self, init)

    def forward(self, images: Tensor) -> Tensor:
        """Images (N, in_channels, H, W) -> logits (N, num_classes)."""
        maps = self.features(images)  # (N, C, H', W')
        means = maps.mean(dim=(2, 3))  # (N, C)
        logits: Tensor = self.head(means)  # (N, num_classes)
        return logits


class DenseLayer(nn.Module):
    """Norm, activation and convolution, 1×1 then 3×3; appends the new maps to the old ones."""

    def __init__(
        self,
        in_channels: int,
        growth_rate: int,
        bottleneck: int,
        activation: str,
        norm: str,
        dropout: float,
    ) -> None:
        super().__init__()
        width = bottleneck * growth_rate
        layers = [
            *preactivated(in_channels, width, 1, activation, norm),
            *preactivated(width, growth_rate, 3, activation, norm),
        ]
        if dropout > 0:  # a dropout of 0 would still draw its masks
            layers.append(Dropout(dropout))
        self.new_maps = nn.Sequential(*layers)

    def forward(self, maps: Tensor) -> Tensor:
        """Maps (N, in_channels, H, W) -> (N, in_channels + growth_rate, H, W)."""
        return torch.cat([maps, self.new_maps(maps)], dim=1)  # (N, in + growth_rate, H, W)


def transition(
    in_channels: int, out_channels: int, activation: str, pooling: str, norm: str
) -> nn.Sequential:
    """(N, in_channels, H, W) -> (N, out_channels, H // 2, W // 2)."""
    *before, conv = preactivated(in_channels, out_channels, 1, activation, norm)
    pool = pooling_layer(pooling)
    # The paper pools last. An average and a 1×1 convolution commute, both being linear, so pooling
    # first is the same function with a quarter of the products; a maximum doesn't.
    pair = [pool, conv] if pooling == "avg" else [conv, pool]
    return nn.Sequential(*before, *pair)


def preactivated(
    in_channels: int, out_channels: int, kernel_size: int, activation: str, norm: str
) -> list[nn.Module]:
    """Norm, activation and a convolution (odd ``kernel_size``) that keeps height and width."""
    middle, bias = kernel_size // 2, needs_bias(norm)
    conv = nn.Conv2d(in_channels, out_channels, kernel_size, padding=middle, bias=bias)
    norms = norm_layers(norm, in_channels)
    # Without a norm before it an activation would write over maps that are concatenated, too.
    return [*norms, activation_layer(activation, in_place=bool(norms)), conv]


def compressed(channels: int, compression: float) -> int:
    """The maps that a transition keeps of ``channels``: at least one."""
    is_number = isinstance(compression, int | float) and not isinstance(compression, bool)
    if not is_number or not 0 < compression <= 1:
        raise UserError(f"model.compression={compression}: allowed is a number in (0, 1]")
    return max(1, int(channels * compression))
