"""The layer that gives a network's logits."""

from torch import nn

from cnnsweep.errors import UserError


def last_layer(model: nn.Module) -> nn.Module:
    """The last linear or convolution layer in the order of definition.

    It is what training with ``freeze=true`` still moves, and what does not fit another number of
    classes. UserError for a model without any such layer.
    """
    return model.get_submodule(last_layer_name(model))


def last_layer_name(model: nn.Module) -> str:
    """The dotted name of `last_layer`: its weights' names in a state dict begin with it."""
    names: list[str] = [
        name for name, module in model.named_modules() if isinstance(module, nn.Linear | nn.Conv2d)
    ]
    if not names:
        raise UserError(f"the model {type(model).__name__} has no linear or convolution layer")
    return names[-1]
