"""LeNet-5 (LeCun et al. 1998, "Gradient-based learning applied to document recognition")."""

from collections.abc import Sequence

from torch import Tensor, nn

from cnnsweep.models.arguments import count, counts
from cnnsweep.models.layers import initialise
from cnnsweep.models.stages import final_size, head, side_after, stages


class LeNet(nn.Module):
    """LeNet-5 as taught today: every map of a layer seen by the next, a linear last layer.

    The first convolution keeps the image's size, which makes of 28×28 what the paper's 32×32
    were; the later ones don't pad.
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
        activation: str,
        pooling: str,
        norm: str,
        dropout: float,
        init: str,
    ) -> None:
        super().__init__()
        channels = counts("model.channels", channels)
        kernel_size = count("model.kernel_size", kernel_size)
        paddings = ["same"] + ["valid"] * (len(channels) - 1)
        self.features = stages(
            [in_channels, *channels],
            paddings,
            kernel_size=kernel_size,
            activation=activation,
            pooling=pooling,
            norm=norm,
        )
        height, width = final_size(
            "lenet", image_size, lambda side: side_after(side, kernel_size, paddings)
        )
        features = channels[-1] * height * width
        self.head = head(features, hidden, num_classes, activation=activation, dropout=dropout)
        initialise(self, init)

    def forward(self, images: Tensor) -> Tensor:
        """Images (N, in_channels, H, W) -> logits (N, num_classes)."""
        maps = self.features(images)  # (N, channels[-1], H', W')
        logits: Tensor = self.head(maps)  # (N, num_classes)
        return logits
