"""What was typed of a grid as the words of its jobs, as Hydra's basic sweeper has them."""

from functools import lru_cache
from typing import Any

from hydra.core.global_hydra import GlobalHydra
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from omegaconf import DictConfig, OmegaConf

from cnnsweep.config.hydra_internals import grid_of
from cnnsweep.config.overrides import task_lines
from cnnsweep.config.sweeper_keys import searches_over
from cnnsweep.errors import UserError
from cnnsweep.rules import conditional


def axes_of(config: DictConfig) -> dict[str, tuple[str, ...]]:
    """The words of each override of a grid, one a value, by the key as it was typed.

    Unlike there, ``~key`` and ``key=extend_list(…)`` stay what was typed. What ``shuffle`` drew
    stays the same in one process.

    Raises:
        UserError: a range is no list of values, or a pattern fits nothing.
        hydra.errors.HydraException: an override cannot be read.
    """
    params = config.hydra.sweeper.params or {}
    for key, value in params.items():
        if conditional(value) is not None:
            raise UserError(
                f"hydra.sweeper.params: {key} is drawn under a condition, which is for searches; "
                "this is a grid, and hydra/sweeper=optuna chooses a search"
            )
    lines = [f"{key}={value}" for key, value in params.items()]
    sources: Any = OmegaConf.to_container(config.hydra.runtime.config_sources, resolve=False)
    return _axes((*lines, *task_lines(config.hydra)), str(sources))


@lru_cache(maxsize=8)
def _axes(lines: tuple[str, ...], _sources: str) -> dict[str, tuple[str, ...]]:
    """``_sources``: the folders in which ``glob`` looks."""
    hydra = GlobalHydra.instance()
    parser = OverridesParser.create(hydra.config_loader() if hydra.is_initialized() else None)
    axes: dict[str, tuple[str, ...]] = {}
    for override in parser.parse_overrides(list(lines)):
        key, line = override.get_key_element(), str(override.input_line)
        if override.is_list_extend():
            axes[line] = (line,)  # each of several counts
        elif override.is_delete() and override.value_type is None:
            axes[key] = (line,)
        else:
            axes[key] = _words(override)
    return axes


def _words(override: Override) -> tuple[str, ...]:
    if override.is_sweep_override() and not override.is_discrete_sweep():
        key = override.key_or_group
        named = [f"search={name}" for name in searches_over(key)]
        whose = f"{', '.join(named)} {'has' if len(named) == 1 else 'have'} it, " if named else ""
        raise UserError(
            f"{override.input_line} is a range, and a grid needs values ({key}=0.1,0.01); a search "
            f"draws from ranges: {whose}hydra/sweeper=optuna goes through any key"
        )
    words = tuple(word for (word,) in grid_of([override]))
    if not words:
        raise UserError(f"{override.input_line} stands for no option at all")
    return words
