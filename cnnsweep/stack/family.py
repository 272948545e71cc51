"""Which runs can be trained together."""

from torch import nn
from torch.optim import SGD, Optimizer


def why_alone(model: nn.Module, optimizer: Optimizer, loss: nn.Module) -> str | None:
    """Why a run cannot be trained with others, in words; None where it can."""
    if type(optimizer) is not SGD:
        return f"optim._target_ is {type(optimizer).__name__}, and only SGD is stacked"
    if not type(model).__module__.startswith("cnnsweep.models."):
        return f"model._target_ is {type(model).__name__}, which is not one of ours"
    if not isinstance(loss, nn.CrossEntropyLoss):
        return f"loss._target_ is {type(loss).__name__}"
    return None
