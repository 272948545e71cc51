"""A config of another app's sweep that does not compose: one line, before anything is made."""

import re
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from hydra.core.config_loader import ConfigLoader
from hydra.errors import HydraException
from hydra.types import TaskFunction
from omegaconf import DictConfig
from omegaconf.errors import OmegaConfBaseException

from cnnsweep.config.hydra_internals import compose_sweep
from cnnsweep.sweep.launch.hydras_sweeper import why_not_meant

_SWEEPER, _NODE = "hydra/sweeper", "hydra.sweeper."
_OUR_OPTIONS = ("cnnsweep", "cnnsweep_grid")
_NOT_OF_A_GRID = re.compile(r"Key '(\w+)' not in 'GridSettings'")
_NOT_OF_HYDRAS = re.compile(r"Key '(\w+)' not in '(?:Optuna|Basic)SweeperConf'")
_OPTUNAS = {
    "params", "sampler", "direction", "storage", "study_name", "n_trials", "n_jobs",
    "max_failure_rate", "custom_search_space",
}  # fmt: skip
"""Keys that Hydra's Optuna sweeper has too."""
_CONDITION = re.compile(r"\+*([\w.@/]+)=\s*(\{\s*[\"']?space[\"']?\s*:.*)", re.DOTALL)


def say_why(
    error: Exception,
    loader: ConfigLoader,
    config_name: str | None,
    words: list[str],
    task: TaskFunction,
) -> None:
    """End the command with a line, where its sweeper is ours or was meant to be; else return."""
    from cnnsweep.config.error_messages import short_error
    from cnnsweep.errors import UserError
    from cnnsweep.sweep.launch.ending import end_with
    from cnnsweep.sweep.launch.search_path import missing_places

    if task.__module__ == "cnnsweep.cli":  # which does so with any error
        return
    plain = _without_other_words(loader, config_name, words)
    if plain is not None and (line := why_not_meant(plain, loader)) is not None:
        end_with(UserError(line))
    if (line := _on_hydras(error)) is not None:
        end_with(UserError(line))
    if _is_ours(plain, words):
        in_grid = _on_grid(error, words, _brings(loader, config_name, words))
        line = _on_condition(words) or in_grid or short_error(error)
        gone = missing_places(loader)
        end_with(UserError(line if gone is None else f"{line} ({gone})"))


def _without_other_words(
    loader: ConfigLoader, config_name: str | None, words: Sequence[str]
) -> DictConfig | None:
    """What the app's files and the chosen sweeper compose; None where not even they do."""
    chosen = [word for word in words if word.startswith((f"{_SWEEPER}=", "hydra.searchpath="))]
    with suppress(HydraException, OmegaConfBaseException):
        return compose_sweep(loader, config_name, chosen)
    return None


def _is_ours(plain: DictConfig | None, words: Sequence[str]) -> bool:
    if plain is None:
        return any(word in words for word in (f"{_SWEEPER}={name}" for name in _OUR_OPTIONS))
    sweeper: Any = plain.hydra.sweeper
    return sweeper is not None and str(sweeper.get("_target_")).startswith("cnnsweep.")


def _on_condition(words: Sequence[str]) -> str | None:
    """An entry with a condition is the sweeper's, and no value of the app's key."""
    found = next(filter(None, map(_CONDITION.fullmatch, words)), None)
    if found is None or found[1].startswith(_NODE):
        return None
    return f"{found[1]}={{space: …}} is typed as '+{_NODE}params.{found[1]}={found[2]}'"


def _on_hydras(error: Exception) -> str | None:
    """A key that only our searches have, where Hydra's own sweeper is chosen, or none."""
    from cnnsweep.config.sweeper_keys import keys_of

    found = _NOT_OF_HYDRAS.search(str(error))
    if found is None or found[1] not in {*keys_of("optuna")} - _OPTUNAS:
        return None
    return (
        f"{_NODE}{found[1]} is a key of cnnsweep's searches, and the sweeper here is Hydra's own: "
        f"choose {_SWEEPER}=cnnsweep, in a YAML `override /{_SWEEPER}: cnnsweep` in its defaults"
    )


def _brings(loader: ConfigLoader, config_name: str | None, words: Sequence[str]) -> str | None:
    """The option of a group without which the config composes."""
    for word in words:
        group = word.partition("=")[0].lstrip("+")
        if group.startswith("hydra") or not loader.get_group_options(group):
            continue
        with suppress(HydraException, OmegaConfBaseException):
            compose_sweep(loader, config_name, [other for other in words if other != word])
            return word
    return None


def _on_grid(error: Exception, words: Sequence[str], option: str | None) -> str | None:
    """Keys of a search that the app's files set, where a grid was chosen."""
    from cnnsweep.config.sweeper_keys import keys_of

    found = _NOT_OF_A_GRID.search(str(error))
    if found is None or found[1] not in keys_of("optuna"):
        return None
    key = found[1]
    if option is not None:
        return f"{_NODE}{key} of {option} is for searches, and this is a grid: leave {option} out"
    if any(word.lstrip("+").startswith(f"{_NODE}{key}") for word in words):
        return None
    return (
        f"{_NODE}{key} in the app's config is for searches, and this is a grid: keep the search in "
        "a file of its own, conf/search/NAME.yaml with `# @package _global_`, and choose it with "
        "+search=NAME"
    )
