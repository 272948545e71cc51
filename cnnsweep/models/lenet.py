"""LeNet-5 (LeCun et al. 1998, "Gradient-based learning applied to document recognition")."""

from collections.abc import Sequence
from typing import Unpack

from torch import Tensor, nn

from cnnsweep.models.layers import initialise
from cnnsweep.models.stages import StageOptions, head, pixels_after, stages
from cnnsweep.rules import counts, whole


class LeNet(nn.Module):
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
        super().__init__()
        channels = counts("model.channels").check(channels)
        kernel_size = whole("model.kernel_size", 1).check(kernel_size)
        paddings = ["same"] + ["valid"] * (len(channels) - 1)
        pixels = pixels_after("lenet", image_size, kernel_size, paddings)
        self.features = stages(in_channels, channels, kernel_size, paddings, **options)
        self.head = head(channels[-1] * pixels, hidden, num_classes, dropout, options["activation"])
        initialise(self, init)

    def forward(self, images: Tensor) -> Tensor:
        """Images (N, in_channels, H, W) -> logits (N, num_classes)."""
        maps = self.features(images)  # (N, channels[-1], H', W')
        logits: Tensor = self.head(maps)  # (N, num_classes)
        return logits
