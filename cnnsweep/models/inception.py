"""Inception blocks (Szegedy et al. 2015, "Going deeper with convolutions") on a small CNN."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Unpack

import torch
from torch import Tensor, nn

from cnnsweep.models.stages import (
    FeaturesAndHead,
    StageOptions,
    Window,
    head,
    pixels_after,
    stage,
)
from cnnsweep.rules import counts, whole


class Inception(FeaturesAndHead):
    """A stage (valid convolution, pooling, activation) and an inception block, repeated.

    The MNIST article's network. ``channels`` lists what each stage passes to its block.
    """

    def __init__(
        self,
        *,
        in_channels: int,
        image_size: tuple[int, int],
        num_classes: int,
        channels: Sequence[int],
        kernel_size: int,
        branch_1x1: int,
        branch_5x5: Sequence[int],
        branch_3x3: Sequence[int],
        branch_pool: int,
        dropout: float,
        init: str,
        **options: Unpack[StageOptions],
    ) -> None:
        channels = counts("model.channels").check(channels)
        kernel_size = whole("model.kernel_size", 1).check(kernel_size)
        window = Window(kernel_size, "valid", 1)
        pixels = pixels_after("inception", image_size, [window] * len(channels), options["pooling"])
        layers: list[nn.Module] = []
        for out_channels in channels:
            block = InceptionBlock(out_channels, branch_1x1, branch_5x5, branch_3x3, branch_pool)
            layers += [stage(in_channels, out_channels, window, **options), block]
            in_channels = block.out_channels
        linear = head(in_channels * pixels, None, num_classes, dropout, options["activation"])
        super().__init__(nn.Sequential(*layers), linear, init)


class InceptionBlock(nn.Module):
    """Four branches on the same maps, concatenated.

    As in the article no activation is inside: the first one is in the next stage.
    ``branch_5x5`` and ``branch_3x3`` list the channels of a 1×1 convolution and those after it.
    """

    def __init__(
        self,
        in_channels: int,
        branch_1x1: int,
        branch_5x5: Sequence[int],
        branch_3x3: Sequence[int],
        branch_pool: int,
    ) -> None:
        super().__init__()
        branch_1x1 = whole("model.branch_1x1", 1).check(branch_1x1)
        branch_pool = whole("model.branch_pool", 1).check(branch_pool)
        branch_5x5 = counts("model.branch_5x5").check(branch_5x5)
        branch_3x3 = counts("model.branch_3x3").check(branch_3x3)
        self.branch_1x1 = nn.Conv2d(in_channels, branch_1x1, 1)
        self.branch_5x5 = reduced(in_channels, branch_5x5, kernel_size=5)
        self.branch_3x3 = reduced(in_channels, branch_3x3, kernel_size=3)
        self.branch_pool = nn.Sequential(
            nn.AvgPool2d(3, stride=1, padding=1), nn.Conv2d(in_channels, branch_pool, 1)
        )
        self.out_channels = branch_1x1 + branch_5x5[-1] + branch_3x3[-1] + branch_pool

    def forward(self, maps: Tensor) -> Tensor:
        """Maps (N, in_channels, H, W) -> (N, out_channels, H, W)."""
        branches = (self.branch_1x1, self.branch_5x5, self.branch_3x3, self.branch_pool)
        return torch.cat([branch(maps) for branch in branches], dim=1)  # (N, out_channels, H, W)


def reduced(in_channels: int, channels: Sequence[int], *, kernel_size: int) -> nn.Sequential:
    """A 1×1 convolution to ``channels[0]``, then one of ``kernel_size`` to each further entry."""
    later = (
        nn.Conv2d(before, after, kernel_size, padding=kernel_size // 2)
        for before, after in pairwise(channels)
    )
    return nn.Sequential(nn.Conv2d(in_channels, channels[0], 1), *later)
