"""The plain networks of the MNIST articles: a few convolutions, then linear layers."""

from collections.abc import Sequence

from cnnsweep.models.stages import (
    FeaturesAndHead,
    Window,
    head,
    per_stage,
    pixels_after,
    stages,
)
from cnnsweep.rules import counts


class Simple(FeaturesAndHead):
    """Convolution, activation and pooling once for each of ``channels``, then linear layers.

    ``hidden`` is null or empty for no hidden layer. Covers both plain networks of the articles:
    3×3 kernels with a hidden layer, and 5×5 kernels without padding or a hidden layer.
    ``kernel_size``, ``stride`` and ``pooling`` are one for all stages, or a list with one for each.
    """

    def __init__(
        self,
        *,
        in_channels: int,
        image_size: tuple[int, int],
        num_classes: int,
        channels: Sequence[int],
        kernel_size: int | Sequence[int],
        stride: int | Sequence[int],
        padding: str,
        hidden: Sequence[int] | int | None,
        dropout: float,
        init: str,
        activation: str,
        pooling: str | Sequence[str],
        norm: str,
    ) -> None:
        channels = counts("model.channels").check(channels)
        sizes = per_stage("model.kernel_size", kernel_size, len(channels))
        strides = per_stage("model.stride", stride, len(channels))
        windows = [Window(size, padding, step) for size, step in zip(sizes, strides, strict=True)]
        pixels = pixels_after("simple", image_size, windows, pooling)
        features = stages(
            in_channels, channels, windows, activation=activation, pooling=pooling, norm=norm
        )
        linear = head(channels[-1] * pixels, hidden, num_classes, dropout, activation)
        super().__init__(features, linear, init)
