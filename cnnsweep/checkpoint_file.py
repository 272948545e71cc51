"""Checkpoints: tensors and plain values only, so that reading one never runs code."""

import io
import pickle
import warnings
from pathlib import Path
from typing import Any

import torch

from cnnsweep.errors import UserError

# What torch.load and its restricted unpickler raise for files that are damaged or something else.
_UNREADABLE = (
    RuntimeError,
    EOFError,
    ValueError,
    LookupError,
    AttributeError,
    TypeError,
    AssertionError,
    OverflowError,
)


def to_bytes(content: dict[str, Any]) -> bytes:
    """A file's bytes for nested dicts and lists of tensors and plain values.

    In memory first: torch's own writer turns a full disk into an error that does not say so.
    """
    buffer = io.BytesIO()
    torch.save(content, buffer)
    return buffer.getvalue()


def read(path: Path, device: torch.device | str, key: str | None = None) -> dict[str, Any]:
    """Read such a file, its tensors onto ``device``. ``key`` is the config key that named it.

    Raises:
        UserError: the file is not there, cannot be read, is damaged, or holds pickled code.
    """
    named = f"{key}={path}" if key else str(path)
    try:
        with warnings.catch_warnings():
            # torch warns of pickles before it refuses them: the error below says it once.
            warnings.simplefilter("ignore", UserWarning)
            content = torch.load(path, map_location=device, weights_only=True)
    except FileNotFoundError as error:
        raise UserError(f"{named}: there is no such file; allowed is a file of weights") from error
    except OSError as error:
        raise UserError(f"{named} cannot be read: {error.strerror}") from error
    except pickle.UnpicklingError as error:
        raise UserError(
            f"{named} is refused: it holds pickled code or is no checkpoint; allowed are tensors "
            "and plain values, as torch.save(model.state_dict(), …) writes them"
        ) from error
    except _UNREADABLE as error:
        raise UserError(f"{named} is damaged, or no file of saved weights") from error
    if not isinstance(content, dict):
        raise UserError(f"{named} holds a {type(content).__name__}, not the weights of a network")
    return content
