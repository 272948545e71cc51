"""Initial weights by name."""

from torch import nn

from cnnsweep.errors import unknown

INITS = ("default", "xavier")


def initialise(model: nn.Module, name: str) -> None:
    """Draw the weights of every convolution and linear layer anew.

    ``default`` leaves torch's own. ``xavier`` draws weights uniformly after Glorot and Bengio
    2010 and leaves the biases, as the LeNet article's ``nn.init.xavier_uniform_`` does.
    """
    if name not in INITS:
        raise unknown("model.init", str(name), INITS)
    if name == "xavier":
        for module in model.modules():
            if isinstance(module, nn.Conv2d | nn.Linear):
                nn.init.xavier_uniform_(module.weight)
