"""The door through which Hydra comes in. It is scanned at every start, so it imports nothing."""

from typing import Any

from hydra.plugins.sweeper import Sweeper
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig

from cnnsweep.sweep.schema import register

register()


class CnnSweeper(Sweeper):
    """Optuna sweeps that prune, run side by side and go on after any death."""

    def __init__(self, **settings: Any) -> None:
        """``settings`` are the keys of :class:`cnnsweep.sweep.schema.OptunaSchema`."""
        self.settings = settings

    def setup(
        self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig
    ) -> None:
        self._handed = (hydra_context, task_function, config)

    def sweep(self, arguments: list[str]) -> None:
        from cnnsweep.sweep.conduct import conduct
        from cnnsweep.sweep.master import Master

        conduct(Master(*self._handed), self.settings, arguments)
