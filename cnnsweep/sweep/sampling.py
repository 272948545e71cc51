"""A sampler for one trial: its draws depend on the study's seed and the trial's number alone.

With the finished trials given, a proposal then comes out the same however often the sweep was
killed before it was made, and whoever makes it.
"""

import hashlib
import inspect
import math
from typing import Any

from hydra.utils import get_object, instantiate
from hydra_plugins.hydra_optuna_sweeper._impl import OptunaSweeperImpl
from omegaconf import DictConfig
from optuna.distributions import BaseDistribution
from optuna.samplers import BaseSampler, GridSampler, QMCSampler, RandomSampler

from cnnsweep.sweep.points import NumberedPoints
from cnnsweep.whitelist import allowed_targets

Space = dict[str, BaseDistribution]


def sampler_for(config: DictConfig, seed: int, number: int, space: Space) -> BaseSampler:
    """The configured sampler, ready to propose trial ``number``."""
    target = get_object(config._target_)
    if target is GridSampler:
        # One seed for all trials: it shuffles the grid, of which the number picks a point.
        return GridSampler(grid_choices(space), seed=seed)
    if target in (QMCSampler, NumberedPoints):
        return _points(config, seed, number)
    if "seed" not in inspect.signature(target).parameters and "seed" not in config:
        return _made(config)
    return _made(config, seed=_derived(seed, number))


def _points(config: DictConfig, seed: int, number: int) -> BaseSampler:
    """One seed for all trials, or their points would not be those of one sequence.

    Trials before the first finished one are drawn at random, so these need seeds of their own.
    """
    independent = RandomSampler(seed=_derived(seed, number))
    return _made(config, seed=seed, independent_sampler=independent)


def _made(config: DictConfig, **keywords: Any) -> BaseSampler:
    sampler = instantiate(config, **keywords, _execution_whitelist_=allowed_targets())
    assert isinstance(sampler, BaseSampler)
    return sampler


def _derived(seed: int, number: int) -> int:
    digest = hashlib.sha256(f"{seed}/trial {number}".encode()).digest()
    return int.from_bytes(digest[:4], "big")


def is_grid_sampler(config: DictConfig) -> bool:
    return get_object(config._target_) is GridSampler


def grid_choices(space: Space) -> dict[str, list[Any]]:
    """The values of each parameter; raises ValueError where one has no steps."""
    return {k: list(OptunaSweeperImpl._to_grid_sampler_choices(d)) for k, d in space.items()}


def grid_size(space: Space) -> int:
    return math.prod(len(choices) for choices in grid_choices(space).values())
