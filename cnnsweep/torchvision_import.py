"""torchvision, or one line that says why it cannot be used with this torch."""

from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from types import ModuleType

import torch

from cnnsweep.errors import UserError


def torchvision() -> ModuleType:
    """The torchvision package, imported on the first call: it takes a second and few runs need it.

    Raises UserError where it is not installed or was built for another torch.
    """
    try:
        return import_module("torchvision")
    except (ImportError, OSError, RuntimeError, AttributeError) as error:
        # Which of these a torchvision built for another torch raises depends on how far apart
        # the two are: a library that does not load, a missing operator, a missing name.
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise UserError(
            f"torchvision {_installed()} cannot be used with torch {torch.__version__} ({reason}). "
            "Install two that fit each other, both from one place: "
            "pip install --upgrade torch torchvision"
        ) from error


def _installed() -> str:
    try:
        return version("torchvision")
    except PackageNotFoundError:
        return "(not installed)"
