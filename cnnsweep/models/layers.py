"""Layers by name: activation, normalisation, pooling; and the initial weights."""

import torch
from torch import Tensor, nn

from cnnsweep.errors import unknown
from cnnsweep.models.cpu_forms import BatchNorm2d

ACTIVATIONS: dict[str, type[nn.Module]] = {
    "relu": nn.ReLU,
    "leaky_relu": nn.LeakyReLU,
    "elu": nn.ELU,
    "tanh": nn.Tanh,
    "sigmoid": nn.Sigmoid,
}
_WITH_IN_PLACE = (nn.ReLU, nn.LeakyReLU, nn.ELU)


def activation_layer(name: str, *, in_place: bool = False) -> nn.Module:
    """A new activation; UserError for a name that is none of ACTIVATIONS.

    ``in_place`` lets it write over what it gets, which must be needed by nobody else: not by
    another layer, nor for a gradient.
    """
    if name not in tuple(ACTIVATIONS):  # what was typed may be a list, which has no hash
        raise unknown("model.activation", str(name), ACTIVATIONS)
    kind = ACTIVATIONS[name]
    return kind(inplace=True) if in_place and kind in _WITH_IN_PLACE else kind()


NORMS = ("none", "batch", "local_response")


def norm_layers(name: str, channels: int) -> list[nn.Module]:
    """The layers of one normalisation: none or one; UserError for a name not in NORMS."""
    if name not in NORMS:
        raise unknown("model.norm", str(name), NORMS)
    if name == "batch":
        return [BatchNorm2d(channels)]
    if name == "local_response":
        # Size and constants of Krizhevsky et al. 2012, section 3.3.
        return [nn.LocalResponseNorm(5, alpha=1e-4, beta=0.75, k=2.0)]
    return []


def needs_bias(name: str) -> bool:
    """Whether a convolution before this normalisation has a bias: batch norm brings its own."""
    return name != "batch"


POOLINGS: dict[str, type[nn.MaxPool2d] | type[nn.AvgPool2d]] = {
    "max": nn.MaxPool2d,
    "avg": nn.AvgPool2d,
}


def pooling_layer(name: str) -> nn.Module:
    """A new 2×2 pooling; UserError for a name that is none of POOLINGS."""
    if name not in tuple(POOLINGS):  # what was typed may be a list, which has no hash
        raise unknown("model.pooling", str(name), POOLINGS)
    return POOLINGS[name](2)


INITS = ("default", "xavier")


def initialise(model: nn.Module, name: str) -> None:
    """Draw the initial weights of every convolution and linear layer.

    ``default`` leaves torch's own. ``xavier`` draws weights uniformly after Glorot and Bengio
    2010 and leaves the biases, as the LeNet article's ``nn.init.xavier_uniform_`` does.
    """
    if name not in INITS:
        raise unknown("model.init", str(name), INITS)
    if name == "xavier":
        for module in model.modules():
            if isinstance(module, nn.Conv2d | nn.Linear):
                nn.init.xavier_uniform_(module.weight)


class Dropout(nn.Dropout):
    """torch's, but a mask's numbers come one after the other, in the order of the memory.

    On a CPU it is torch's to the last bit. On a GPU torch's own kernel draws inside of itself, so
    that nobody else could draw the same mask; this one can be drawn by `dropout_mask`.
    """

    def forward(self, values: Tensor) -> Tensor:
        """Values of any shape -> the same shape."""
        if not self.training or self.p == 0:
            return values
        return values * dropout_mask(torch.empty_like(values), self.p, None)


def dropout_mask(empty: Tensor, share: float, generator: torch.Generator | None) -> Tensor:
    """Fill a tensor with 0 for a ``share`` (in 0..1, not 1) of it, with 1 / (1 - share) else.

    ``generator`` is of its device; None: the device's global one.
    """
    return empty.bernoulli_(1 - share, generator=generator).div_(1 - share)
