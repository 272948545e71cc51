"""A network's weights from a file."""

from pathlib import Path

from torch import Tensor

from cnnsweep import checkpoint
from cnnsweep.errors import UserError


def read_weights(key: str, path: str | Path) -> dict[str, Tensor]:
    """The state dict in a file, on the CPU. ``key`` is the config key that errors name.

    Raises:
        UserError: there is no such file, it holds pickled code, or something else than tensors.
    """
    state = checkpoint.read(Path(path).expanduser(), "cpu", key)
    if not all(isinstance(tensor, Tensor) for tensor in state.values()):
        raise UserError(f"{key}={path} holds no state dict: allowed are names with their tensors")
    return state
