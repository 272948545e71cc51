"""Fine-tuning: starting from a file of weights, and training the last layer only."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from cnnsweep import checkpoint_file
from cnnsweep.errors import UserError, and_more


def load_weights(model: nn.Module, path: Path, last_layer: str) -> list[str]:
    """Load a weights file into the model; a last layer for other classes stays as it is.

    ``last_layer`` is its dotted name. Returns the names that stayed as they were.

    Raises:
        UserError: the file cannot be read, or holds other names or shapes (it says which).
    """
    content = checkpoint_file.read(path, "cpu", "init_from")
    weights = content.get("model", content)
    own = model.state_dict()
    _check_names(path, weights, own)
    other = [name for name, tensor in own.items() if weights[name].shape != tensor.shape]
    refused = [name for name in other if not name.startswith(f"{last_layer}.")]
    if refused:
        listed = and_more(_shapes(name, weights[name], own[name]) for name in refused)
        raise UserError(f"init_from={path} holds other shapes: {listed}")
    model.load_state_dict({k: own[k] if k in other else v for k, v in weights.items()})
    return other


def _check_names(path: Path, weights: Any, own: Mapping[str, Tensor]) -> None:
    if not isinstance(weights, Mapping) or not all(isinstance(v, Tensor) for v in weights.values()):
        raise UserError(f"init_from={path} does not hold the weights of a network")
    missing = [name for name in own if name not in weights]
    extra = [name for name in weights if name not in own]
    if missing or extra:
        said = [f"lacks {', '.join(missing[:3])}"] if missing else []
        said += [f"has {', '.join(extra[:3])} instead or besides"] if extra else []
        raise UserError(f"init_from={path} is of another network: it {' and '.join(said)}")


def _shapes(name: str, there: Tensor, here: Tensor) -> str:
    return f"{name} is {tuple(there.shape)} there, {tuple(here.shape)} here"


def freeze_all_but(model: nn.Module, last_layer: nn.Module) -> None:
    """Leave only the last layer's parameters trainable."""
    model.requires_grad_(False)
    last_layer.requires_grad_(True)


def training_mode(model: nn.Module, *, is_frozen: bool) -> None:
    """Ready a model for a training epoch; with ``is_frozen`` batch norms keep their statistics.

    Those belong to the weights that were loaded, which stay as they are.
    """
    model.train()
    if is_frozen:
        for module in model.modules():
            if isinstance(module, _BatchNorm):
                module.eval()
