"""torch.compile for runs that are long enough to pay for it."""

import torch
from torch import nn


def compile_in_place(model: nn.Module, device: torch.device) -> None:
    """Have the model's calls compiled; parameters and their names stay as they are.

    On a GPU with CUDA graphs: small networks spend their steps in launching kernels, and a graph
    launches them all at once. The first epoch of training and the first look at a split pay for
    it (tens of seconds).
    """
    mode = "reduce-overhead" if device.type == "cuda" else "default"
    # No shape is symbolic: the last, smaller batch gets a graph of its own.
    model.compile(mode=mode, dynamic=False)
