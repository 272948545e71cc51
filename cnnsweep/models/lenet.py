"""LeNet-5 (LeCun et al. 1998, "Gradient-based learning applied to document recognition")."""

from collections.abc import Sequence
from typing import Unpack

from cnnsweep.models.stages import (
    FeaturesAndHead,
    StageOptions,
    Window,
    head,
    pixels_after,
    stages,
)
from cnnsweep.rules import counts, whole


class LeNet(FeaturesAndHead):
    """LeNet-5, but every convolution sees all maps before it and the last layer is linear.

    The first convolution pads, so that 28×28 images end in the 5×5 maps that the paper's 32×32
    images do; the later ones don't pad.
    """

    def __init__(
        self,
        *,
        in_channels: int,
        image_size: tuple[int, int],
        num_classes: int,
        channels: Sequence[int],
        kernel_size: int,
        hidden: Sequence[int] | int | None,
        dropout: float,
        init: str,
        **options: Unpack[StageOptions],
    ) -> None:
        channels = counts("model.channels").check(channels)
        kernel_size = whole("model.kernel_size", 1).check(kernel_size)
        paddings = ["same"] + ["valid"] * (len(channels) - 1)
        windows = [Window(kernel_size, padding, 1) for padding in paddings]
        pixels = pixels_after("lenet", image_size, windows, options["pooling"])
        features = stages(in_channels, channels, windows, **options)
        linear = head(channels[-1] * pixels, hidden, num_classes, dropout, options["activation"])
        super().__init__(features, linear, init)
