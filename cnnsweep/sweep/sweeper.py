"""Hydra's entry point. Scanned at every start of Hydra: imports neither torch nor Optuna."""

from typing import Any

from hydra.plugins.sweeper import Sweeper
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig

from cnnsweep.sweep.spec.settings import register

register()


class CnnSweeper(Sweeper):
    """Optuna sweeps that prune, run trials in parallel and resume after any death."""

    def __init__(self, **settings: Any) -> None:
        """``settings`` are the keys of :class:`cnnsweep.sweep.spec.settings.Settings`."""
        self.settings = settings

    def setup(
        self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig
    ) -> None:
        self._handed = (hydra_context, task_function, config)

    def sweep(self, arguments: list[str]) -> None:
        from cnnsweep.sweep.controller import run_sweep
        from cnnsweep.sweep.spec.compose import SweepContext

        run_sweep(SweepContext(*self._handed), self.settings, arguments)
