"""The plain networks of the MNIST articles: a few convolutions, then linear layers."""

from collections.abc import Sequence
from typing import Unpack

from cnnsweep.models.stages import FeaturesAndHead, StageOptions, head, pixels_after, stages
from cnnsweep.rules import counts, whole


class Simple(FeaturesAndHead):
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
        dropout: float,
        init: str,
        **options: Unpack[StageOptions],
    ) -> None:
        channels = counts("model.channels").check(channels)
        kernel_size = whole("model.kernel_size", 1).check(kernel_size)
        paddings = [padding] * len(channels)
        pixels = pixels_after("simple", image_size, kernel_size, paddings)
        features = stages(in_channels, channels, kernel_size, paddings, **options)
        linear = head(channels[-1] * pixels, hidden, num_classes, dropout, options["activation"])
        super().__init__(features, linear, init)
