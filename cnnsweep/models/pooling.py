"""Pooling by name: halves height and width, an odd last row or column is dropped."""

from torch import nn

from cnnsweep.errors import unknown

POOLINGS: dict[str, type[nn.MaxPool2d] | type[nn.AvgPool2d]] = {
    "max": nn.MaxPool2d,
    "avg": nn.AvgPool2d,
}


def pooling_layer(name: str) -> nn.Module:
    """A new 2×2 pooling; UserError for a name that is none of POOLINGS."""
    if name not in POOLINGS:
        raise unknown("model.pooling", str(name), POOLINGS)
    return POOLINGS[name](2)
