"""The plain networks of the MNIST articles: a few convolutions, then linear layers."""

from collections.abc import Sequence

from torch import Tensor, nn

from cnnsweep.models.arguments import count, counts
from cnnsweep.models.layers import initialise
from cnnsweep.models.stages import final_size, head, side_after, stages


class Simple(nn.Module):
    """Convolution, activation and pooling once for each of ``channels``, then linear layers.

    ``hidden`` is null or empty for no hidden layer. Covers both plain networks of the articles:
    3×3 kernels with a hidden layer, and 5×5 kernels without padding or a hidden layer.
    """

    def __init__(
        self,
        *,
        in_channels: int,
        image_size: tuple[int, int],
        num_classes: int,
        channels: Sequence[int],
        kernel_size: int,
        padding: str,
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
        paddings = [padding] * len(channels)
        self.features = stages(
            [in_channels, *channels],
            paddings,
            kernel_size=kernel_size,
            activation=activation,
            pooling=pooling,
            norm=norm,
        )
        height, width = final_size(
            "simple", image_size, lambda side: side_after(side, kernel_size, paddings)
        )
        features = channels[-1] * height * width
        self.head = head(features, hidden, num_classes, activation=activation, dropout=dropout)
        initialise(self, init)

    def forward(self, images: Tensor) -> Tensor:
        """Images (N, in_channels, H, W) -> logits (N, num_classes)."""
        maps = self.features(images)  # (N, channels[-1], H', W')
        logits: Tensor = self.head(maps)  # (N, num_classes)
        return logits
