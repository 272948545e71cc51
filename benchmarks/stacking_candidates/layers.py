"""Networks whose convolutions, batch norms and linear layers compute K networks' at once.

Other layers see images one by one, whichever network they belong to. Two foldings: by image,
(B·K, C, H, W), where a convolution is a grouped one on (B, K·C, H, W); and by network,
(K·B, C, H, W), where it is one batched product of unfolded maps.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn.functional import batch_norm, conv2d, pad

from benchmarks.stacking_candidates.setting import Setting
from benchmarks.stacking_candidates.together import Together

_unsafe_view = torch.ops.aten._unsafe_view


def with_layers(setting: Setting, *, by_image: bool, graph: bool) -> Together:
    """Grouped convolutions (``by_image``) or batched products."""
    model = _stacked(setting.networks(), by_image)
    feed = setting.feed_of_all(by_image=by_image)
    parameters, buffers = list(model.parameters()), list(model.buffers())
    return Together(setting, feed, model, parameters, buffers, by_image=by_image, graph=graph)


def _stacked(networks: Sequence[nn.Module], by_image: bool) -> nn.Module:
    first = networks[0]
    if isinstance(first, nn.Conv2d):
        return GroupedConvolution(networks) if by_image else ProductConvolution(networks)
    if isinstance(first, nn.BatchNorm2d):
        return BatchNorm(networks, by_image)
    if isinstance(first, nn.Linear):
        return Linear(networks, by_image)
    for name, _ in first.named_children():
        setattr(first, name, _stacked([getattr(one, name) for one in networks], by_image))
    return first


class _Layer(nn.Module):
    """Weight (K, …) and bias (K, out) or None of K equal layers."""

    def __init__(self, layers: Sequence[nn.Module]) -> None:
        super().__init__()
        self.stack = len(layers)
        self.first = vars(layers[0])
        self.weight = nn.Parameter(torch.stack([_plain(layer.weight) for layer in layers]))
        biases = [layer.bias for layer in layers]
        self.bias = None
        if biases[0] is not None:
            self.bias = nn.Parameter(torch.stack([_plain(bias) for bias in biases]))


class GroupedConvolution(_Layer):
    def forward(self, maps: Tensor) -> Tensor:
        """Maps (B·K, C, H, W) -> (B·K, out, H', W')."""
        grouped = maps.reshape(-1, self.stack * maps.shape[1], *maps.shape[2:])  # (B, K·C, H, W)
        weight = self.weight.flatten(0, 1)  # (K·out, C, k, k)
        bias = None if self.bias is None else self.bias.flatten()
        stride, padding = self.first["stride"], self.first["padding"]
        out = conv2d(grouped, weight, bias, stride, padding, groups=self.stack)
        # Not known as a view: writing into it, as activations do, would copy the gradient.
        return _unsafe_view(out.contiguous(), (-1, self.weight.shape[1], *out.shape[2:]))


class ProductConvolution(_Layer):
    def forward(self, maps: Tensor) -> Tensor:
        """Maps (K·B, C, H, W) in channels-last -> (K·B, out, H', W'), the same."""
        stride, padding, side = (
            self.first["stride"][0],
            self.first["padding"],
            self.weight.shape[-1],
        )
        rim = side // 2 if padding == "same" else padding[0]
        maps = pad(maps.permute(0, 2, 3, 1), (0, 0, rim, rim, rim, rim))
        seen = maps.unfold(1, side, stride).unfold(2, side, stride)  # (K·B, H', W', C, k, k)
        patches = seen.reshape(self.stack, -1, self.weight[0, 0].numel())  # (K, B·H'·W', C·k·k)
        weight = self.weight.flatten(2).transpose(1, 2)  # (K, C·k·k, out)
        out = _product(patches, weight, self.bias)
        return out.view(*seen.shape[:3], -1).permute(0, 3, 1, 2)


class BatchNorm(_Layer):
    def __init__(self, layers: Sequence[nn.Module], by_image: bool) -> None:
        super().__init__(layers)
        self._by_image = by_image
        for name in ("running_mean", "running_var"):
            self.register_buffer(name, torch.stack([getattr(one, name) for one in layers]))

    def forward(self, maps: Tensor) -> Tensor:
        """Folded maps -> the same shape, each network's own statistics."""
        shape = maps.shape
        maps = maps.reshape(-1, self.stack * shape[1], *shape[2:]) if self._by_image else maps
        if not self._by_image:  # (K·B, C, H, W) -> (B, K·C, H, W), a copy
            maps = maps.view(self.stack, -1, *shape[1:]).transpose(0, 1).flatten(1, 2)
        normed = batch_norm(
            maps,
            self.running_mean.view(-1),
            self.running_var.view(-1),
            self.weight.view(-1),
            self.bias.view(-1),
            self.training,
            self.first["momentum"],
            self.first["eps"],
        )
        if self._by_image:
            return _unsafe_view(normed.contiguous(), shape)
        unfolded = normed.unflatten(1, (self.stack, shape[1])).transpose(0, 1)
        return unfolded.reshape(shape)


class Linear(_Layer):
    def __init__(self, layers: Sequence[nn.Module], by_image: bool) -> None:
        super().__init__(layers)
        self._by_image = by_image

    def forward(self, features: Tensor) -> Tensor:
        """Features (B·K or K·B, in) -> (the same, out)."""
        weight = self.weight.transpose(1, 2)  # (K, in, out)
        if self._by_image:
            each = features.view(-1, self.stack, features.shape[1]).transpose(0, 1)  # (K, B, in)
            return _product(each, weight, self.bias).transpose(0, 1).flatten(0, 1)
        each = features.view(self.stack, -1, features.shape[1])  # (K, B, in)
        return _product(each, weight, self.bias).flatten(0, 1)


def _product(features: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """(K, M, in) and (K, in, out) -> (K, M, out)."""
    if bias is None:
        return torch.bmm(features, weight)
    return torch.baddbmm(bias.unsqueeze(1), features, weight)


def _plain(parameter: Tensor) -> Tensor:
    return parameter.detach().clone()
