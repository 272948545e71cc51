"""Notices that Hydra's own Optuna sweeper is about to run where ours was meant.

Both are called ``optuna``: which one an app gets depends on its search path, and a YAML that names
Hydra's class gets that one with the keys of ours.
"""

from collections.abc import Iterator
from difflib import SequenceMatcher
from pathlib import Path
from typing import Any

from hydra.core.config_loader import ConfigLoader
from hydra.core.plugins import Plugins
from hydra.plugins.sweeper import Sweeper
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig

from cnnsweep import CONF_DIR
from cnnsweep.sweep.launch.search_path import as_typed, typed_places

_HYDRAS = "hydra_plugins.hydra_optuna_sweeper."
_OURS = "cnnsweep"
_IN_PLACE = f"pkg://{_OURS}.conf"
_ALIKE = 0.8  # of two names, as difflib measures it: one or two letters are others


def watch() -> None:
    """Look at the config of each sweep of this process before Hydra makes its sweeper."""
    Plugins.instance().instantiate_sweeper = _instantiate_sweeper  # type: ignore[method-assign]


def _instantiate_sweeper(
    *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig
) -> Sweeper:
    line = why_not_meant(config, hydra_context.config_loader)
    if line is not None:
        _refuse(line)
    return Plugins.instantiate_sweeper(
        Plugins.instance(),
        hydra_context=hydra_context,
        task_function=task_function,
        config=config,
    )


def _refuse(line: str) -> None:
    """End the command, as a sweep of ours ends another app's."""
    from cnnsweep.errors import UserError
    from cnnsweep.sweep.launch.ending import end_with

    end_with(UserError(line))


def why_not_meant(config: DictConfig, loader: ConfigLoader) -> str | None:
    """A line where the config's sweeper is Hydra's, and was meant to be ours; else None."""
    sweeper: Any = config.hydra.sweeper
    if sweeper is None or not str(sweeper.get("_target_")).startswith(_HYDRAS):
        return None
    from cnnsweep.config.sweeper_keys import keys_of
    from cnnsweep.sweep.launch.yaml_files import file_with

    option = config.hydra.runtime.choices.get("hydra/sweeper")
    if {"pruner", "n_trials", "retries"} <= {*sweeper} & {*keys_of("optuna")}:
        file = file_with(str(sweeper._target_), config)
        return (
            f"hydra.sweeper._target_={sweeper._target_}{f' in {file}' if file else ''} is Hydra's "
            f"own sweeper, and hydra/sweeper={option} is cnnsweep's here: leave the line "
            "`_target_` below hydra.sweeper out"
        )
    wrong = next(_wrong_places(loader), None)
    if wrong is None:
        return None
    right = _IN_PLACE if CONF_DIR.name == "conf" and CONF_DIR.parent.name == _OURS else _file()
    return (
        f"hydra.searchpath names {wrong}, where no cnnsweep is, so that hydra/sweeper={option} is "
        f"Hydra's own: write {right}"
    )


def _file() -> str:
    return f"file://{CONF_DIR}"


def _wrong_places(loader: ConfigLoader) -> Iterator[str]:
    """Places on the search path that are meant for our configs, and are not where they are."""
    for source in typed_places(loader):
        is_package = source.scheme() == "pkg"
        names = source.path.split(".") if is_package else Path(source.path).parts
        is_above = names[-1] == _OURS  # where conf/ is, but no config
        if any(map(_is_alike, names)) and (is_above or not source.available()):
            yield as_typed(source)


def _is_alike(name: str) -> bool:
    return SequenceMatcher(None, name.lower(), _OURS).ratio() >= _ALIKE
