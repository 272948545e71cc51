"""Sweeps of older code that choose an option by a name which stands for something else by now."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf

from cnnsweep.config.overrides import by_key, task_lines
from cnnsweep.dotted_keys import look_up
from cnnsweep.errors import UserError
from cnnsweep.folders.recorded_defaults import CHANGED, ChangedOption
from cnnsweep.task.recorded_command import read_command

_ABSENT = object()


def refuse_changed_options(config: DictConfig, folder: Path) -> None:
    """Refuse to go on with the sweep in ``folder`` where its runs would be another network's.

    Raises:
        UserError: names the option and what it meant when the sweep began.
    """
    recorded = read_command(folder).config
    for changed in CHANGED:
        if _is_older(recorded, changed) and changed.option in _chosen_from(config, changed.group):
            raise UserError(
                f"{folder} was begun when {changed.group}={changed.option} was {changed.meant}: "
                "what is left of it would be another network. Begin a new sweep, without resume "
                "and in another folder"
            )


def _is_older(recorded: dict[str, Any], changed: ChangedOption) -> bool:
    """Whether a record is of our own runs, and of code before the change."""
    target = str(look_up(recorded, f"{changed.group}._target_", None))
    is_ours = target.startswith("cnnsweep.")
    return is_ours and look_up(recorded, changed.since, _ABSENT) is _ABSENT


def _chosen_from(config: DictConfig, group: str) -> set[str]:
    """The options of a group that a sweep chooses from; empty where it has one for all its runs."""
    return {word for text in _spaces(config, group) for word in re.findall(r"[\w-]+", text)}


def _spaces(config: DictConfig, group: str) -> Iterator[str]:
    typed = by_key(task_lines(config.hydra)).get(group)
    if typed is not None and typed.is_sweep_override():
        yield str(typed.input_line).partition("=")[2]
    sweeper: Any = OmegaConf.to_container(config.hydra.sweeper, resolve=False)
    for key in ("params", "compare"):
        yield str((sweeper.get(key) or {}).get(group, ""))
