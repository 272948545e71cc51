"""Optimizers that do what no optimizer should."""

import os
import time
from typing import Any

from torch.optim import SGD


class Exits(SGD):
    """Ends its process, no handler run."""

    def step(self, closure: Any = None) -> Any:  # noqa: ARG002
        os._exit(3)


class Raises(SGD):
    """Raises an error."""

    def step(self, closure: Any = None) -> Any:  # noqa: ARG002
        raise RuntimeError("a mishap")


class Hangs(SGD):
    """Never comes back."""

    def step(self, closure: Any = None) -> Any:  # noqa: ARG002
        time.sleep(1000)
