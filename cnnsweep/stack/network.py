"""K networks of one architecture as one network, with all parameters in one tensor."""

from collections.abc import Mapping, Sequence
from copy import deepcopy

import torch
from torch import Tensor, nn

from cnnsweep.models import layers
from cnnsweep.stack.layers import STACKED, StackedDropout


class StackedNetwork:
    """K networks like ``one``, whose weights are nobody's yet; see `layers` for how images lie.

    ``module``: images (N·K, C, H, W) -> logits (N·K, classes). ``weights``: (K, P), row k being
    network k's parameters one after the other. ``generators``: of each network, on its device;
    dropout draws from them.
    """

    def __init__(self, one: nn.Module, size: int, channels_last: bool) -> None:
        first = next(one.parameters())
        parameters = dict(one.named_parameters())
        self.size = size
        self.device = first.device
        self.generators = [torch.Generator(first.device) for _ in range(size)]
        self.weights = first.new_zeros((size, sum(p.numel() for p in parameters.values())))
        self.module = deepcopy(one)
        self.module.zero_grad(set_to_none=True)
        for name, module in list(self.module.named_modules()):
            if type(module) in STACKED:
                self._replace(name, STACKED[type(module)](module, size))
            elif isinstance(module, layers.Dropout):
                self._replace(name, StackedDropout(module, self.generators, channels_last))
        self.slices = self._place(parameters)

    def _replace(self, name: str, stacked: nn.Module) -> None:
        holder, _, own = name.rpartition(".")
        setattr(self.module.get_submodule(holder), own, stacked)

    def _place(self, parameters: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Give each layer its part of the weights; returns the parts by name."""
        begin, placed = 0, {}
        for name, parameter in parameters.items():
            end, shape = begin + parameter.numel(), (self.size, *parameter.shape)
            placed[name] = self.weights[:, begin:end].view(shape)
            holder, _, last = name.rpartition(".")
            layer = self.module.get_submodule(holder)
            delattr(layer, last)  # None, until now
            layer.register_parameter(last, nn.Parameter(placed[name]))
            begin = end
        return placed

    def parts(self, flat: Tensor) -> dict[str, Tensor]:
        """A tensor (K, P) as one view (K, …) for each parameter, by name."""
        sizes = [part[0].numel() for part in self.slices.values()]
        split = torch.split(flat, sizes, dim=1)
        return {
            name: piece.view(part.shape)
            for (name, part), piece in zip(self.slices.items(), split, strict=True)
        }

    def gradients(self, losses: Tensor) -> Tensor:
        """The gradient (K, P) of losses (K), each of which depends on its own network alone."""
        leaves = [self.module.get_parameter(name) for name in self.slices]
        parts = torch.autograd.grad(losses.sum(), leaves)
        return torch.cat([part.flatten(1) for part in parts], dim=1)

    @property
    def state(self) -> dict[str, Tensor]:
        """Weights and buffers, (K, …) each, by the names in a network's state dict."""
        return {**self.slices, **dict(self.module.named_buffers())}

    @torch.no_grad()
    def load(self, networks: Sequence[nn.Module]) -> None:
        """Take over weights and buffers of up to K networks, in this order."""
        fill(self.state, [network.state_dict() for network in networks])


def fill(stacked: Mapping[str, Tensor], members: Sequence[Mapping[str, Tensor]]) -> None:
    """Copy member k's tensors into entry k of the stacked ones of the same names."""
    for name, tensor in stacked.items():
        tensor[: len(members)].copy_(torch.stack([member[name] for member in members]))
