"""Stages of our networks as CPUs compute them fastest: the same function, the same state dict.

`for_cpu` turns it on in a network that is about to be trained. Without it (on a GPU, in an export)
each layer is torch's own. What is done, and why:

- A stage adds its bias by itself, after max-pooling, which constants pass through: to a quarter of
  the values. oneDNN takes about as long for the sum of a bias's gradient as for a first
  convolution's whole gradient, many times what torch's sum takes.
- A stage's maps are followed by blank ones, up to a multiple of eight, where that is at most a
  third more. Of one pixel AVX2 takes eight floats at once, and torch's batch norm and pooling go
  through what is left slowly: with LeNet's 6 maps three to six times as long as with 8.
"""

from torch import Tensor, nn
from torch.nn.functional import batch_norm, pad

LANES = 8


def for_cpu(model: nn.Module) -> None:
    """Have the network computed as described above; for channels-last float32 on a CPU."""
    # Local response norm sums over neighbouring maps, and some activations don't leave one blank.
    may_widen = not any(isinstance(module, nn.LocalResponseNorm) for module in model.modules())
    for module in model.modules():
        if isinstance(module, Conv2d):
            module.bias_apart = True
            blank = -module.out_channels % LANES
            if may_widen and module.may_widen and 3 * blank <= module.out_channels:
                module.blank_maps = blank


class Conv2d(nn.Conv2d):
    """The first layer of a `Stage`, torch's own until `for_cpu` sets ``bias_apart``.

    ``may_widen`` says that what follows its stage takes ``blank_maps`` after its ``out_channels``,
    as another stage does.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int,
        *,
        stride: int,
        padding: int,
        bias: bool,
        may_widen: bool,
    ) -> None:
        super().__init__(in_channels, out_channels, kernel_size, stride, padding, bias=bias)
        self.may_widen = may_widen
        self.bias_apart = False
        self.blank_maps = 0

    def products(self, maps: Tensor) -> Tensor:
        """Maps (N, in_channels + blank, H, W) -> (N, out_channels + blank_maps, H', W'), no bias.

        What the blank maps hold counts for nothing.
        """
        weight = self.weight  # (out_channels, in_channels, kernel, kernel)
        blank = maps.shape[1] - self.in_channels
        if blank > 0 or self.blank_maps > 0:
            weight = pad(weight, (0, 0, 0, 0, 0, blank, 0, self.blank_maps))
        products: Tensor = self._conv_forward(maps, weight, None)
        return products

    def add_bias(self, maps: Tensor) -> Tensor:
        """In place: gradients of convolutions and of pooling don't need their results."""
        if self.bias is None:
            return maps
        bias = self.bias if self.blank_maps == 0 else pad(self.bias, (0, self.blank_maps))
        return maps.add_(bias.view(-1, 1, 1))


class Stage(nn.Sequential):
    """A `Conv2d` and what follows it."""

    def forward(self, images: Tensor) -> Tensor:
        """Images (N, C, H, W) -> maps, as the layers say one after the other."""
        convolution, *others = self
        if not isinstance(convolution, Conv2d) or not convolution.bias_apart:
            maps: Tensor = super().forward(images)  # type: ignore[no-untyped-call]
            return maps
        maps = convolution.products(images)
        if isinstance(others[0], nn.MaxPool2d):
            maps = others.pop(0)(maps)
        maps = convolution.add_bias(maps)
        for layer in others:
            maps = layer(maps)
        return maps


class BatchNorm2d(nn.BatchNorm2d):
    """torch's, for maps that blank ones may follow; these stay blank."""

    momentum: float
    running_mean: Tensor
    running_var: Tensor
    num_batches_tracked: Tensor

    def forward(self, maps: Tensor) -> Tensor:
        """Maps (N, num_features + blank, H, W) -> the same shape."""
        blank = maps.shape[1] - self.num_features
        if blank == 0:
            return super().forward(maps)
        mean, var, weight, bias = (
            pad(numbers, (0, blank))
            for numbers in (self.running_mean, self.running_var, self.weight, self.bias)
        )
        normed = batch_norm(maps, mean, var, weight, bias, self.training, self.momentum, self.eps)
        if self.training:
            self.num_batches_tracked.add_(1)
            self.running_mean.copy_(mean[:-blank])
            self.running_var.copy_(var[:-blank])
        return normed
