"""Residual blocks (He et al. 2016, "Deep residual learning") on a small CNN."""

from collections.abc import Sequence

from torch import Tensor, nn

from cnnsweep.models.arguments import count, counts
from cnnsweep.models.layers import activation_layer, initialise, needs_bias, norm_layers
from cnnsweep.models.stages import final_size, head, side_after, stage


class ResNet(nn.Module):
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
        activation: str,
        pooling: str,
        norm: str,
        dropout: float,
        init: str,
    ) -> None:
        super().__init__()
        channels = counts("model.channels", channels)
        kernel_size = count("model.kernel_size", kernel_size)
        blocks = count("model.blocks", blocks)
        layers: list[nn.Module] = []
        for out_channels in channels:
            layers += [
                stage(
                    in_channels,
                    out_channels,
                    kernel_size=kernel_size,
                    padding="valid",
                    activation=activation,
                    pooling=pooling,
                    norm=norm,
                ),
                *(ResidualBlock(out_channels, activation, norm) for _ in range(blocks)),
            ]
            in_channels = out_channels
        self.features = nn.Sequential(*layers)
        paddings = ["valid"] * len(channels)
        height, width = final_size(
            "resnet", image_size, lambda side: side_after(side, kernel_size, paddings)
        )
        features = channels[-1] * height * width
        self.head = head(features, None, num_classes, activation=activation, dropout=dropout)
        initialise(self, init)

    def forward(self, images: Tensor) -> Tensor:
        """Images (N, in_channels, H, W) -> logits (N, num_classes)."""
        maps = self.features(images)  # (N, channels[-1], H', W')
        logits: Tensor = self.head(maps)  # (N, num_classes)
        return logits


class ResidualBlock(nn.Module):
    """f(x + conv3×3(f(conv3×3(x)))) for an activation f; a norm follows each convolution."""

    def __init__(self, channels: int, activation: str, norm: str) -> None:
        super().__init__()
        self.residual = nn.Sequential(
            nn.Conv2d(channels, channels, 3, padding=1, bias=needs_bias(norm)),
            *norm_layers(norm, channels),
            activation_layer(activation),
            nn.Conv2d(channels, channels, 3, padding=1, bias=needs_bias(norm)),
            *norm_layers(norm, channels),
        )
        self.activation = activation_layer(activation)

    def forward(self, maps: Tensor) -> Tensor:
        """Maps (N, channels, H, W) -> the same shape."""
        out: Tensor = self.activation(maps + self.residual(maps))
        return out
