"""Checkpoints: tensors and plain values only, so that reading one never runs code."""

import io
import pickle
import warnings
import zipfile
from pathlib import Path
from typing import Any

import torch

from cnnsweep.bad_input import BadInput


def to_bytes(content: dict[str, Any]) -> bytes:
    """A file's bytes for nested dicts and lists of tensors and plain values.

    In memory first: torch's own writer turns a full disk into an error that does not say so.
    """
    buffer = io.BytesIO()
    torch.save(content, buffer)
    return buffer.getvalue()


def read(path: Path, device: torch.device | str) -> dict[str, Any]:
    """Read such a file, its tensors onto ``device``.

    Raises:
        BadInput: the file is not there, is damaged, or holds pickled code.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about files that are refused below
            content = torch.load(path, map_location=device, weights_only=True)
    except FileNotFoundError as error:
        raise BadInput(f"{path}: there is no such file") from error
    except pickle.UnpicklingError as error:
        raise BadInput(
            f"{path} is refused: it holds pickled objects or is no checkpoint; allowed are tensors "
            "and plain values, as torch.save(model.state_dict(), …) writes them"
        ) from error
    except (RuntimeError, EOFError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise BadInput(f"{path} is damaged or is no checkpoint of torch") from error
    if not isinstance(content, dict):
        raise BadInput(f"{path} holds a {type(content).__name__}, not the weights of a network")
    return content
