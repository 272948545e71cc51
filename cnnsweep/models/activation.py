"""Activations by name. All are monotone, which `stage.py` and its speed rest on."""

from torch import nn

from cnnsweep.errors import unknown

ACTIVATIONS: dict[str, type[nn.Module]] = {
    "relu": nn.ReLU,
    "leaky_relu": nn.LeakyReLU,
    "elu": nn.ELU,
    "tanh": nn.Tanh,
    "sigmoid": nn.Sigmoid,
}


def activation_layer(name: str) -> nn.Module:
    """A new activation; UserError for a name that is none of ACTIVATIONS."""
    if name not in ACTIVATIONS:
        raise unknown("model.activation", str(name), ACTIVATIONS)
    return ACTIVATIONS[name]()
