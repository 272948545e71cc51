"""A network that takes images as they are stored and says how likely each class is."""

from collections.abc import Sequence

from torch import Tensor, nn, softmax

from cnnsweep.data.batches import normalisation


class Standalone(nn.Module):
    """What surrounds a network in training and evaluation, as part of it.

    ``mean`` and ``std`` are the data set's, for pixels in 0..1: one number or one a channel. The
    network is taken as it is: put it into evaluation mode.
    """

    scale: Tensor
    shift: Tensor

    def __init__(
        self,
        network: nn.Module,
        *,
        mean: float | Sequence[float],
        std: float | Sequence[float],
        in_channels: int,
    ) -> None:
        super().__init__()
        self.network = network
        scale, shift = normalisation(mean, std, in_channels)
        self.register_buffer("scale", scale.view(-1, 1, 1))
        self.register_buffer("shift", shift.view(-1, 1, 1))

    def forward(self, images: Tensor) -> Tensor:
        """uint8 images (N, C, H, W) with pixels 0..255 -> probabilities (N, classes)."""
        logits = self.network(images.float() * self.scale + self.shift)  # (N, classes)
        return softmax(logits, dim=1)
