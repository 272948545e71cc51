"""Normalisation by name: none, batch (Ioffe and Szegedy 2015), or local response."""

from torch import nn

from cnnsweep.errors import unknown

NORMS = ("none", "batch", "local_response")


def norm_layers(name: str, channels: int) -> list[nn.Module]:
    """The layers of one normalisation: none or one; UserError for a name not in NORMS."""
    if name not in NORMS:
        raise unknown("model.norm", str(name), NORMS)
    if name == "batch":
        return [nn.BatchNorm2d(channels)]
    if name == "local_response":
        # Size and constants of Krizhevsky et al. 2012, section 3.3.
        return [nn.LocalResponseNorm(5, alpha=1e-4, beta=0.75, k=2.0)]
    return []


def needs_bias(name: str) -> bool:
    """Whether a convolution before this normalisation has a bias: batch norm brings its own."""
    return name != "batch"
