"""Named tensors from a file, without running anything that the file holds."""

import pickle
import warnings
from pathlib import Path

import torch
from torch import Tensor

from cnnsweep.bad_input import BadInput

# What torch.load and its restricted unpickler raise for files that are damaged or something else.
UNREADABLE = (
    RuntimeError,
    EOFError,
    ValueError,
    LookupError,
    AttributeError,
    TypeError,
    AssertionError,
    OverflowError,
)


def read_weights(key: str, path: str | Path) -> dict[str, Tensor]:
    """The state dict in a file, on the CPU. ``key`` is the config key that errors name.

    Raises:
        BadInput: there is no such file, it holds pickled code, or something else than tensors.
    """
    file = Path(path).expanduser()
    if not file.is_file():
        raise BadInput(f"{key}={path}: there is no such file; allowed is a file of saved weights")
    try:
        with warnings.catch_warnings():
            # torch warns of pickles that it goes on to refuse: the refusal below says it once.
            warnings.simplefilter("ignore", UserWarning)
            state = torch.load(file, map_location="cpu", weights_only=True)
    except OSError as error:
        raise BadInput(f"{key}={path} cannot be read: {error.strerror}") from error
    except pickle.UnpicklingError as error:
        raise BadInput(
            f"{key}={path} holds pickled code or no weights at all, and is not opened; allowed is "
            "a state dict: torch.save(model.state_dict(), path)"
        ) from error
    except UNREADABLE as error:
        raise BadInput(f"{key}={path} is damaged, or no file of saved weights") from error
    if not isinstance(state, dict) or not all(isinstance(t, Tensor) for t in state.values()):
        raise BadInput(f"{key}={path} holds no state dict: allowed are names with their tensors")
    return state
