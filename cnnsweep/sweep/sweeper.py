"""Hydra's entry point. Scanned at every start of Hydra: imports neither torch nor Optuna."""

from typing import Any

from hydra.core.config_search_path import ConfigSearchPath
from hydra.plugins.search_path_plugin import SearchPathPlugin
from hydra.plugins.sweeper import Sweeper
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig

from cnnsweep.sweep.spec.other_apps import register_options
from cnnsweep.sweep.spec.settings import is_for_searches, register

register()
register_options()


class CnnSweeper(Sweeper, SearchPathPlugin):
    """Grids and Optuna searches whose runs go side by side and are resumed after any death."""

    def __init__(self, **settings: Any) -> None:
        """``settings`` are the keys of :class:`cnnsweep.sweep.spec.settings.Settings`.

        Those of :class:`cnnsweep.sweep.spec.settings.GridSettings` alone make it a grid.
        """
        self.settings = settings

    def manipulate_search_path(self, search_path: ConfigSearchPath) -> None:  # noqa: ARG002
        """Called at every start of Hydra, before a config is composed; the path stays as it is."""
        from cnnsweep.config.hydra_internals import at_wrong_composition
        from cnnsweep.sweep.launch.composition import say_why
        from cnnsweep.sweep.launch.hydras_sweeper import watch

        watch()
        at_wrong_composition(say_why)

    def setup(
        self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig
    ) -> None:
        self._handed = (hydra_context, task_function, config)

    def sweep(self, arguments: list[str]) -> None:
        from cnnsweep.sweep.controller import run_sweep
        from cnnsweep.sweep.grids import Grid
        from cnnsweep.sweep.launch.ending import ended_in_one_line
        from cnnsweep.sweep.launch.search_path import say_missing_places
        from cnnsweep.sweep.searches import Searches
        from cnnsweep.sweep.spec.compose import SweepContext

        context = SweepContext(*self._handed)
        say_missing_places(context.hydra_context.config_loader)
        with ended_in_one_line(context):
            if is_for_searches(self.settings):
                run_sweep(context, lambda: Searches.read(context, self.settings, arguments))
            else:
                run_sweep(context, lambda: Grid.read(context, self.settings))
