"""Layers of several networks at once: layer k of each works on the images of network k.

Images of K networks are folded N-major: row n·K + k of a tensor (N·K, …) is image n of network k.
So maps (N·K, C, H, W) are maps (N, K·C, H, W) to a grouped convolution or to a batch norm, without
a copy, and a layer without parameters needs no change. Parameters and statistics have a first
dimension K. The idea is HFTA's (Wang et al., MLSys 2021, "Horizontally fused training array").
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn.functional import batch_norm, conv2d

from cnnsweep.models import cpu_forms, layers
from cnnsweep.stack.torch_internals import as_shape


class StackedConv2d(nn.Module):
    """K convolutions as one with K times as many groups."""

    def __init__(self, one: nn.Conv2d, size: int) -> None:
        super().__init__()
        self.size = size
        self.stride, self.padding, self.dilation = one.stride, one.padding, one.dilation
        self.groups = one.groups
        self.weight: Tensor | None = None
        self.bias: Tensor | None = None

    def forward(self, maps: Tensor) -> Tensor:
        """Maps (N·K, C, H, W) -> (N·K, C', H', W')."""
        count, size = maps.shape[0], self.size
        assert self.weight is not None
        weight = self.weight.flatten(0, 1)  # (K·C', C / groups, kernel, kernel)
        bias = None if self.bias is None else self.bias.flatten()
        wide = as_shape(maps, count // size, size * maps.shape[1], *maps.shape[2:])
        groups = size * self.groups
        out = conv2d(wide, weight, bias, self.stride, self.padding, self.dilation, groups)
        return as_shape(out, count, -1, *out.shape[2:])


class StackedLinear(nn.Module):
    """K linear layers as one batched product of matrices."""

    def __init__(self, _one: nn.Linear, size: int) -> None:
        super().__init__()
        self.size = size
        self.weight: Tensor | None = None
        self.bias: Tensor | None = None

    def forward(self, values: Tensor) -> Tensor:
        """Values (N·K, F) -> (N·K, F')."""
        assert self.weight is not None
        one_each = as_shape(values, -1, self.size, values.shape[1]).transpose(0, 1)  # (K, N, F)
        turned = self.weight.transpose(1, 2)  # (K, F, F')
        if self.bias is None:
            out = torch.bmm(one_each, turned)  # (K, N, F')
        else:
            out = torch.baddbmm(self.bias.unsqueeze(1), one_each, turned)  # (K, N, F')
        return as_shape(out.transpose(0, 1), values.shape[0], out.shape[2])


class StackedBatchNorm2d(nn.Module):
    """K batch norms as one with K times as many maps; each counts its batches."""

    running_mean: Tensor
    running_var: Tensor
    num_batches_tracked: Tensor

    def __init__(self, one: nn.BatchNorm2d, size: int) -> None:
        super().__init__()
        self.size = size
        self.eps, self.momentum = one.eps, one.momentum
        self.weight: Tensor | None = None
        self.bias: Tensor | None = None
        for name, buffer in one.named_buffers(recurse=False):
            self.register_buffer(name, buffer.new_empty((size, *buffer.shape)))

    def forward(self, maps: Tensor) -> Tensor:
        """Maps (N·K, C, H, W) -> the same shape."""
        assert self.weight is not None
        assert self.bias is not None
        assert self.momentum is not None
        wide = as_shape(maps, -1, self.size * maps.shape[1], *maps.shape[2:])  # (N, K·C, H, W)
        if self.training:
            self.num_batches_tracked.add_(1)
        normed = batch_norm(
            wide,
            self.running_mean.view(-1),
            self.running_var.view(-1),
            self.weight.flatten(),
            self.bias.flatten(),
            self.training,
            self.momentum,
            self.eps,
        )
        return as_shape(normed, *maps.shape)


class StackedDropout(nn.Module):
    """Dropout whose masks are, for each network, those that it would draw alone.

    ``generators`` are one for each network, of its device. ``channels_last``: the network alone has
    its maps in this order, which is that of a mask's numbers.
    """

    def __init__(
        self, one: nn.Dropout, generators: Sequence[torch.Generator], channels_last: bool
    ) -> None:
        super().__init__()
        self.p = one.p
        self.generators = generators
        self.channels_last = channels_last

    def forward(self, values: Tensor) -> Tensor:
        """Values (N·K, …) -> the same shape."""
        if not self.training or self.p == 0:
            return values
        shape = (values.shape[0] // len(self.generators), *values.shape[1:])
        is_last = self.channels_last and values.dim() == 4
        order = torch.channels_last if is_last else torch.contiguous_format
        masks = [
            layers.dropout_mask(
                torch.empty(shape, dtype=values.dtype, device=values.device, memory_format=order),
                self.p,
                generator,
            )
            for generator in self.generators
        ]
        return values * torch.stack(masks, dim=1).reshape(values.shape)


STACKED: dict[type[nn.Module], type[StackedConv2d | StackedLinear | StackedBatchNorm2d]] = {
    nn.Conv2d: StackedConv2d,
    cpu_forms.Conv2d: StackedConv2d,
    nn.Linear: StackedLinear,
    cpu_forms.BatchNorm2d: StackedBatchNorm2d,
}
# Without parameters, and what they make of an image depends on no other image.
UNCHANGED: tuple[type[nn.Module], ...] = (
    *layers.ACTIVATIONS.values(),
    *layers.POOLINGS.values(),
    nn.Flatten,
    nn.LocalResponseNorm,
)
