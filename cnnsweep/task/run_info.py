"""A run as trackers see it: its name, its id, and the sweep it is part of."""

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from omegaconf import OmegaConf

from cnnsweep.config.overrides import task_lines
from cnnsweep.dotted_keys import look_up
from cnnsweep.folders.run_folder import LONGER
from cnnsweep.folders.sweep_folder import SweepFolder, is_confirmation
from cnnsweep.loggers.base import RunInfo, SweepInfo, identity

SET_BY_SEARCHES = ("test", "pictures", "threads")  # for all their trials


def tracked_run(folder: Path, config: Mapping[str, Any]) -> RunInfo:
    """The run of this Hydra job; ``config`` is its resolved config."""
    hydra = HydraConfig.get()
    run = _tracked(folder, Path(hydra.runtime.cwd), config)
    if hydra.mode != RunMode.MULTIRUN:
        return run
    whole, place = tracked_sweep(hydra), str(hydra.sweep.subdir).removesuffix(f"/{LONGER}")
    sweep = SweepInfo(
        folder=whole.folder,
        id=whole.id,
        name=whole.name,
        place=place,
        trial=None if is_confirmation(Path(place)) else int(hydra.job.num),
        parameters=_parameters(task_lines(hydra), whole.folder, config),
    )
    return replace(run, name=place, sweep=sweep)


def tracked_sweep(hydra: Any) -> RunInfo:
    """A whole sweep in place of a run; ``hydra`` is Hydra's part of its own config."""
    root = Path(hydra.runtime.cwd)
    return _tracked(root / str(hydra.sweep.dir), root, {})


def _tracked(folder: Path, root: Path, config: Mapping[str, Any]) -> RunInfo:
    return RunInfo(
        folder=folder,
        id=identity(folder),
        name=_name(folder, root),
        root=root,
        pid=os.getpid(),
        config=config,
        sweep=None,
    )


def _parameters(
    overrides: list[str], sweep_folder: Path, config: Mapping[str, Any]
) -> dict[str, Any]:
    """The job's overrides that are not the whole sweep's, by key."""
    common = _common(sweep_folder)
    parameters = {}
    for line in overrides:
        key, _, text = line.lstrip("+~").partition("=")
        if line not in common and key not in SET_BY_SEARCHES:
            parameters[key.partition("@")[0]] = _value(config, key, text)
    return parameters


def _common(sweep_folder: Path) -> set[str]:
    """What was typed for all jobs; empty where the sweeper leaves no record."""
    path = SweepFolder(sweep_folder).config
    if not path.exists():
        return set()
    master: Any = OmegaConf.to_container(OmegaConf.load(path), resolve=False)
    params = master["hydra"]["sweeper"].get("params") or {}
    typed = master["hydra"]["overrides"]["task"]
    return {*typed, *(f"{key}={value}" for key, value in params.items())}


def _value(config: Mapping[str, Any], key: str, text: str) -> Any:
    """A key's value; for a group, the option's name."""
    value = look_up(config, key)
    return value if isinstance(value, str | int | float | bool) else text


def _name(folder: Path, root: Path) -> str:
    folder = folder.parent if folder.name == LONGER else folder
    folder, root = folder.resolve(), root.resolve()
    return str(folder.relative_to(root)) if folder.is_relative_to(root) else folder.name
