"""The jobs of a grid (Hydra's basic sweeper), known before the first one runs."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from hydra.core.global_hydra import GlobalHydra
from hydra.core.hydra_config import HydraConfig
from hydra.core.override_parser.overrides_parser import OverridesParser
from omegaconf import DictConfig, open_dict

from cnnsweep.config.hydra_internals import BASIC_SWEEPER, grid_of
from cnnsweep.config.validation import resolve


class GridJob(NamedTuple):
    """One job: its resolved config and its folder's place below the sweep folder."""

    resolved: dict[str, Any]
    subdir: Path


def is_grid(config: DictConfig) -> bool:
    """Whether a --multirun config is swept by Hydra's basic sweeper."""
    return bool(config.hydra.sweeper._target_ == BASIC_SWEEPER)


def job_overrides(config: DictConfig) -> list[list[str]]:
    """The overrides of each job of a grid, in its order."""
    params = config.hydra.sweeper.params or {}
    lines = [f"{key}={value}" for key, value in params.items()]
    lines += list(config.hydra.overrides.task)
    return grid_of(OverridesParser.create().parse_overrides(lines))


def compose_jobs(config: DictConfig) -> Iterator[GridJob]:
    """Compose every job of a grid, as its launcher will."""
    loader = GlobalHydra.instance().config_loader()
    controller = HydraConfig.instance().cfg
    for number, overrides in enumerate(job_overrides(config)):
        job = loader.load_sweep_config(config, overrides)
        with open_dict(job):
            job.hydra.job.id = str(number)
            job.hydra.job.num = number
            subdir = Path(str(job.hydra.sweep.subdir))
            job.hydra.runtime.output_dir = str(Path(job.hydra.sweep.dir).resolve() / subdir)
        HydraConfig.instance().set_config(job)
        yield GridJob(resolve(job), subdir)
    HydraConfig.instance().cfg = controller
