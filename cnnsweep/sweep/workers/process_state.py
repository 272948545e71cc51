"""What a process has only once, so that jobs that take turns in one must swap it."""

import logging
import os
import sys
from dataclasses import dataclass
from typing import Any

from hydra.core.hydra_config import HydraConfig

from cnnsweep import epoch_reporter


@dataclass
class ProcessState:
    """A job's share of its process while others have their turn.

    Context variables are not among it: each greenlet has its own.
    """

    output: tuple[int, int]  # copies of the descriptors 1 and 2
    hydra: Any  # the config of Hydra's singleton
    handlers: list[logging.Handler]  # of the root logger
    level: int
    reporter: epoch_reporter.EpochReporter | None
    folder: str  # the current one
    environment: dict[str, str]
    torch: tuple[int, bool] | None  # threads, and whether deterministic; None before its import

    @classmethod
    def capture(cls) -> "ProcessState":
        """The state as it is; it must be restored once."""
        sys.stdout.flush()
        sys.stderr.flush()
        root = logging.getLogger()
        return cls(
            output=(os.dup(1), os.dup(2)),
            hydra=HydraConfig.instance().cfg,
            handlers=list(root.handlers),
            level=root.level,
            reporter=epoch_reporter.current,
            folder=os.getcwd(),  # noqa: PTH109
            environment=dict(os.environ),
            torch=_torch_settings(),
        )

    def restore(self) -> None:
        """Make the process's state this one, for the first and last time."""
        sys.stdout.flush()
        sys.stderr.flush()
        for number, copy in enumerate(self.output, start=1):
            os.dup2(copy, number)
            os.close(copy)
        HydraConfig.instance().cfg = self.hydra
        root = logging.getLogger()
        root.handlers[:] = self.handlers
        root.setLevel(self.level)
        epoch_reporter.current = self.reporter
        if os.getcwd() != self.folder:  # noqa: PTH109
            os.chdir(self.folder)
        if dict(os.environ) != self.environment:
            os.environ.clear()
            os.environ.update(self.environment)
        self.use_torch_settings()

    def use_torch_settings(self) -> None:
        """Compute as the job of this state would; again is harmless."""
        if self.torch is None or self.torch == _torch_settings():
            return
        from cnnsweep.training.device import use_deterministic_algorithms
        from cnnsweep.training.threads import use_threads

        threads, is_deterministic = self.torch
        use_threads(threads)
        use_deterministic_algorithms(is_deterministic)


def _torch_settings() -> tuple[int, bool] | None:
    if "torch" not in sys.modules:
        return None
    import torch

    return torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()
