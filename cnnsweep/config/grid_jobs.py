"""The jobs of a grid (Hydra's basic sweeper), known before the first one runs."""

from collections.abc import Iterator
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import yaml
from hydra.core.global_hydra import GlobalHydra
from hydra.core.hydra_config import HydraConfig
from hydra.core.override_parser.overrides_parser import OverridesParser
from omegaconf import DictConfig, OmegaConf, open_dict

from cnnsweep.config import CONF_DIR
from cnnsweep.config.hydra_internals import BASIC_SWEEPER, grid_of
from cnnsweep.config.key_sources import KeySources, key_sources
from cnnsweep.config.validation import checked
from cnnsweep.errors import UserError

OUR_SWEEPER = "cnnsweep.sweep.sweeper.CnnSweeper"


class GridJob(NamedTuple):
    """One job: its resolved config and its folder's place below the sweep folder."""

    resolved: dict[str, Any]
    subdir: Path


def is_basic(config: DictConfig) -> bool:
    """Whether a --multirun config is swept by Hydra's basic sweeper."""
    return bool(config.hydra.sweeper._target_ == BASIC_SWEEPER)


def is_grid(config: DictConfig) -> bool:
    """Whether a --multirun config is a grid's, by Hydra's basic sweeper or by ours."""
    ours = bool(config.hydra.sweeper._target_ == OUR_SWEEPER)
    return is_basic(config) or (ours and "n_trials" not in config.hydra.sweeper)


@cache
def grid_keys() -> frozenset[str]:
    """The keys of a grid's sweeper, those that follow ``hydra.sweeper.``."""
    text = (CONF_DIR / "hydra/sweeper/grid.yaml").read_text(encoding="utf-8")
    return frozenset(yaml.safe_load(text)) - {"defaults", "_target_"}


def job_overrides(config: DictConfig) -> list[list[str]]:
    """The overrides of each job of a grid, in its order."""
    params = config.hydra.sweeper.params or {}
    lines = [f"{key}={value}" for key, value in params.items()]
    typed: Any = OmegaConf.to_container(config.hydra.overrides.task, resolve=False)
    lines += typed
    overrides = OverridesParser.create().parse_overrides(lines)
    for override in overrides:
        if override.is_sweep_override() and not override.is_discrete_sweep():
            raise UserError(
                f"{override.input_line} is a range, and a grid needs values "
                f"({override.get_key_element()}=0.1,0.01); a search draws from ranges: "
                "add hydra/sweeper=optuna"
            )
    return grid_of(overrides)


def compose_jobs(config: DictConfig, *, may_be_recorded: bool = False) -> Iterator[GridJob]:
    """Compose every job of a grid, as its launcher will, and check it.

    ``may_be_recorded`` as in :func:`cnnsweep.config.used_keys.check_used`.

    Raises:
        UserError: a job's config cannot be meant; names the job where there are several.
    """
    loader = GlobalHydra.instance().config_loader()
    controller = HydraConfig.instance().cfg
    known: dict[object, KeySources] = {}
    for number, overrides in enumerate(job_overrides(config)):
        job = loader.load_sweep_config(config, overrides)
        with open_dict(job):
            job.hydra.job.id = str(number)
            job.hydra.job.num = number
            subdir = Path(str(job.hydra.sweep.subdir))
            job.hydra.runtime.output_dir = str(Path(job.hydra.sweep.dir).resolve() / subdir)
        HydraConfig.instance().set_config(job)
        yield GridJob(_checked(job, overrides, may_be_recorded, known), subdir)
    HydraConfig.instance().cfg = controller


def _checked(
    job: DictConfig, overrides: list[str], may_be_recorded: bool, known: dict[object, KeySources]
) -> dict[str, Any]:
    """``known``: sources of the jobs so far, which reading takes as long as composing a job."""
    kind = _kind(job, overrides)
    if kind in known:
        with suppress(UserError):  # said again below, with this job's own words
            return checked(job, known[kind], may_be_recorded=may_be_recorded)
    try:
        known[kind] = key_sources(job)
        return checked(job, known[kind], may_be_recorded=may_be_recorded)
    except UserError as error:
        said = f" (in the job {' '.join(overrides)})" if overrides else ""
        raise UserError(f"{error}{said}") from error


def _kind(job: DictConfig, overrides: list[str]) -> object:
    """Jobs of one kind have the same keys from the same places, with other values."""
    words = [w if "{" in w else w.partition("=")[0] for w in overrides]
    return tuple(sorted(map(str, job.hydra.runtime.choices.items()))), tuple(words)
