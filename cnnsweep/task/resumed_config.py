"""The config of ``resume=FOLDER``: as recorded there, except for what is typed now."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from hydra.core.global_hydra import GlobalHydra
from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf, open_dict, read_write

from cnnsweep.config.composing.grid_jobs import is_grid
from cnnsweep.config.composing.late_keys import restore_typed, with_late_keys
from cnnsweep.config.hydra_internals import node_of
from cnnsweep.config.overrides import Overrides, as_text, by_key, typed_lines
from cnnsweep.dotted_keys import are_same, is_below, leaves, look_up
from cnnsweep.errors import UserError
from cnnsweep.folders.recorded_defaults import completed
from cnnsweep.folders.run_folder import UNCOMPARED
from cnnsweep.redact import is_masked
from cnnsweep.task.computed_values import as_run_records
from cnnsweep.task.recorded_command import (
    SWEEPER,
    RecordedCommand,
    read_command,
    recorded_sweeper,
    sweep_config,
)
from cnnsweep.task.run_info import SET_BY_SEARCHES

# The folder is the one that is named now, the mode that of this command.
_NOT_TAKEN = ("resume", "hydra.run.dir", "hydra.sweep.dir", "hydra.mode")
# These may differ between two launches.
_FREE_GROUPS = ("logger", "hydra")
_CONTROLLERS = ("hydra/sweeper", "hydra/launcher")
_SWEEPER_TARGET = "hydra.sweeper._target_"  # comes with the option
_SPACE, _STORAGE = "hydra.sweeper.params", "hydra.sweeper.storage"
_WORKERS = "hydra.sweeper.n_jobs"  # suits the machine, which may be another one now


resumed_folders: set[Path] = set()  # by this process, as ``take_recorded`` was told


def take_recorded(config: DictConfig, folder: Path, dir_key: str) -> None:
    """Change this command's composed config, in place, into the one that resumes ``folder``.

    What is typed now counts; else the recorded overrides; else the recorded options of config
    groups and the recorded values, where the present defaults differ from them. All of it, and
    ``dir_key=folder``, is put into ``hydra.overrides``: launchers compose each job from them.

    Raises:
        UserError: another option of a group is typed, or a password was not recorded.
        hydra.errors.HydraException: what is recorded does not compose any more.
    """
    resumed_folders.add(folder.resolve())
    typed = _taken(by_key(typed_lines(config.hydra)))
    place = [f"{dir_key}={as_text(str(folder))}"]
    record = read_command(folder)
    others = _other_options(folder, typed, record.choices)
    _refuse_masked_password(record, typed, others)
    recorded = _taken(by_key(record.overrides))
    lines = {k: line for k, line in recorded.items() if not is_below(k, others)} | typed
    present = _compose(config, lines, place)
    options = recorded_options(record, present, lines, others)
    if options:
        lines = options | lines
        present = _compose(config, lines, place)
    values = _values(record, present, lines, others) if record.config else []
    if values:
        present = _compose(config, lines, [*place, *values])
    _replace(config, present)


def _taken(lines: Overrides) -> Overrides:
    return {key: line for key, line in lines.items() if key not in _NOT_TAKEN}


def _other_options(folder: Path, typed: Overrides, choices: dict[str, Any]) -> list[str]:
    """Groups of which another option is typed than was recorded, where that is allowed."""
    others = [
        key
        for key, override in typed.items()
        if key in choices and not override.is_sweep_override() and override.value() != choices[key]
    ]
    refused = [
        f"{group} (was {choices[group]}, is {typed[group].value()})"
        for group in others
        if not is_below(group, _FREE_GROUPS)
    ]
    if refused:
        raise UserError(
            f"{folder} was begun with another config; these differ: {', '.join(refused)}. "
            "Choose another folder, or leave them out"
        )
    return others


def _compose(config: DictConfig, lines: Overrides, more: Iterable[str]) -> DictConfig:
    is_sweep = config.hydra.mode == RunMode.MULTIRUN
    loader = GlobalHydra.instance().config_loader()
    words = [*(str(override.input_line) for override in lines.values()), *more]
    if is_sweep:
        words = with_late_keys(words, lambda key: bool(loader.get_group_options(key, None)))
        words.append("hydra.mode=MULTIRUN")
    composed = loader.load_configuration(
        config.hydra.job.config_name,
        words,
        run_mode=RunMode.MULTIRUN if is_sweep else RunMode.RUN,
    )
    restore_typed(composed)
    OmegaConf.copy_cache(from_config=config, to_config=composed)  # ${now:...} stays the same
    return composed


def recorded_options(
    record: RecordedCommand, present: DictConfig, lines: Overrides, others: list[str]
) -> Overrides:
    """An override for each config group whose default is another option now.

    ``present`` is what ``lines`` compose; groups below ``others`` are passed over.
    """
    now = present.hydra.runtime.choices
    recorded = record.choices
    if SWEEPER in recorded:
        recorded = recorded | {SWEEPER: recorded_sweeper(record)}
    wanted = {
        group: option
        for group, option in recorded.items()
        if (not is_below(group, ["hydra"]) or is_below(group, _CONTROLLERS))
        and not is_below(group, others)
        and group not in lines
        and (group not in now or now[group] != option)
    }
    # A group that is not there comes with the option of the group above it, or not at all.
    composing = {
        group: option
        for group, option in wanted.items()
        if group in now or any(is_below(group, [above]) for above in wanted if above != group)
    }
    return by_key(f"{group}={as_text(option)}" for group, option in composing.items())


def _values(
    record: RecordedCommand, present: DictConfig, lines: Overrides, others: list[str]
) -> list[str]:
    """An override for each value that the present defaults have changed."""
    config = _plain(record, present)
    recorded, now = completed(record.config, config), leaves(config)
    choices = present.hydra.runtime.choices
    settled = [*others, "resume", _SWEEPER_TARGET, _WORKERS]
    settled += [key for key in lines if key not in choices]
    swept = [key for key, override in lines.items() if override.is_sweep_override()]
    groups = [key.replace("/", ".") for key in swept if key in choices]
    if not all(isinstance(look_up(config, group), dict) for group in groups):
        return []  # options that may set anything, experiment=a,b
    if "hydra" in config and not is_grid(present):
        settled += [*SET_BY_SEARCHES, *(name for name, _ in recorded.get(_SPACE) or [])]
    changed = {
        key: recorded[key]
        for key in now
        if key in recorded
        and not are_same(recorded[key], now[key])
        and not is_below(key, [*settled, *swept])
    }
    written = [line for key, value in changed.items() for line in _written(key, value)]
    below = [str(one.input_line) for key, one in lines.items() if key.startswith(f"{_SPACE}.")]
    return [*written, *below] if _SPACE in changed else written  # what is typed of it counts


def _plain(record: RecordedCommand, present: DictConfig) -> dict[str, Any]:
    """The present config as the record has its own."""
    whole: Any
    if "hydra" in record.config:
        whole = OmegaConf.to_container(present, resolve=False)
        return sweep_config(whole)
    return as_run_records(present, record.config, UNCOMPARED)


def _written(key: str, value: Any) -> list[str]:
    if key == _SPACE:  # Hydra merges mappings: what the record lacks has to go first
        return [f"++{key}=null", f"++{key}={as_text(dict(value))}"] if value else [f"++{key}=null"]
    return [f"++{key}={as_text(value)}"]


def _refuse_masked_password(record: RecordedCommand, typed: Overrides, others: list[str]) -> None:
    storage = look_up(record.config, _STORAGE)
    if is_masked(str(storage)) and _STORAGE not in typed and not is_below(_STORAGE, others):
        raise UserError(
            f"{_STORAGE}={storage} was recorded without its password: type it again, {_STORAGE}=…"
        )


def _replace(config: DictConfig, composed: DictConfig) -> None:
    """Put what was composed into the object that Hydra uses from here on."""
    with read_write(composed.hydra):
        composed.hydra.mode = config.hydra.mode
    with read_write(config), open_dict(config):
        for key in list(config):
            del config[key]
        for key in composed:
            config[key] = node_of(composed, str(key))
    HydraConfig.instance().set_config(config)
