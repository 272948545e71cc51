"""A sampler for one trial: its draws depend on the study's seed and the trial's number alone.

With the finished trials given, a proposal then comes out the same however often the sweep was
killed before it was made, and whoever makes it.
"""

import hashlib
import inspect
import math
from collections.abc import Collection
from copy import deepcopy
from functools import partial
from random import Random
from typing import Any

from hydra.utils import get_object, instantiate
from omegaconf import DictConfig, OmegaConf
from optuna.distributions import BaseDistribution, FloatDistribution
from optuna.samplers import (
    BaseGASampler,
    BaseSampler,
    CmaEsSampler,
    GPSampler,
    GridSampler,
    QMCSampler,
    RandomSampler,
)
from optuna.study import Study
from optuna.trial import FrozenTrial

from cnnsweep.config import CONF_DIR, plain_yaml
from cnnsweep.config.allowed_targets import allowed_targets
from cnnsweep.errors import UserError, and_more
from cnnsweep.rules import Rule, flag, or_null, whole
from cnnsweep.sweep.spec.optuna_internals import NumberedPoints as NumberedPoints
from cnnsweep.sweep.spec.optuna_internals import grid_values
from cnnsweep.sweep.spec.settings import naming_keys

Space = dict[str, BaseDistribution]
# These learn of parameters that all trials have, and draw the others at random.
WITHOUT_CONDITIONS = (GPSampler, CmaEsSampler, BaseGASampler)  # BaseGASampler: NSGA-II and III
FEWEST_RANDOM, MOST_RANDOM = 4, 10  # trials before TPE learns, where their number is not typed
_NODE, _TARGET, _ABSENT = "hydra.sweeper.sampler.", "_target_", object()
_RULES = (
    whole(f"{_NODE}n_startup_trials", 0, "auto"),
    whole(f"{_NODE}n_ei_candidates", 1),
    or_null(flag(f"{_NODE}multivariate")),
    Rule(f"{_NODE}group", lambda v: v == "auto" or isinstance(v, bool), "auto, true or false"),
    flag(f"{_NODE}constant_liar"),
)


class Sampling:
    """The configured sampler, new for each trial.

    Reading the config takes 10 ms and is done once; what it builds is copied for each trial, so
    that none sees what another drew.

    ``n_trials`` are wanted of the study; ``is_conditional``: some may lack parameters that others
    have, and the study has one objective; ``is_scrambled``: a sequence of points (QMC) that is the
    same for all seeds is not for this one.

    Raises:
        UserError: a key is out of range.
    """

    def __init__(
        self,
        config: DictConfig,
        seed: int,
        space: Space,
        n_trials: int,
        *,
        is_conditional: bool = False,
        conditional: Collection[str] = (),
        is_scrambled: bool = False,
    ) -> None:
        self._target = get_object(config._target_)
        self._config = config = _fitted(config, self._target)
        self._takes_seed = "seed" in inspect.signature(self._target).parameters or "seed" in config
        self._make: partial[BaseSampler] = instantiate(
            config,
            **_decided(config, n_trials, is_conditional),
            _partial_=True,
            _execution_whitelist_=allowed_targets(),
        )
        self._seed = seed
        self._numpy_seed = seed % 2**32  # all that NumPy takes
        self._space = space
        self._conditional = conditional
        self._scrambling = {"scramble": True} if is_scrambled else {}

    @property
    def is_grid(self) -> bool:
        """Whether every point of a grid is tried, in an order of chance."""
        return self._target is GridSampler

    def random(self, number: int, attempt: int) -> Random:
        """Chance itself, for a trial's proposal that no sampler makes."""
        return Random(_derived(self._seed, number, attempt))

    def sampler_for(self, number: int, attempt: int = 0) -> BaseSampler:
        """Ready to propose trial ``number``; another ``attempt`` draws other points."""
        if self.is_grid and not self._conditional:
            # One seed for all trials: it shuffles the grid, of which the number picks a point.
            return GridSampler(grid_choices(self._space), seed=self._numpy_seed)
        derived = _derived(self._seed, number, attempt)
        if self.is_grid:  # its points are listed, and chosen from those that are left
            return RandomSampler(seed=derived)
        if self._target in (QMCSampler, NumberedPoints):
            # One seed for all trials, or their points would not be those of one sequence. Trials
            # before the first finished one are drawn at random and need seeds of their own.
            first = RandomSampler(seed=derived)
            numbered = {"seed": self._numpy_seed, "independent_sampler": first}
            return self._made(**numbered, **self._scrambling)
        return self._made(seed=derived) if self._takes_seed else self._made()

    def _made(self, **keywords: Any) -> BaseSampler:
        with naming_keys("sampler", self._config):
            sampler = deepcopy(self._make)(**keywords)
        assert isinstance(sampler, BaseSampler)
        if self._conditional:
            _relate_what_all_have(sampler, self._space, self._conditional)
        return sampler


def _fitted(config: DictConfig, target: Any) -> DictConfig:
    """Without the keys of our default sampler, where another one's ``_target_`` took its place.

    Raises:
        UserError: a key was set that this sampler does not have.
    """
    known = inspect.signature(target).parameters
    if any(parameter.kind is parameter.VAR_KEYWORD for parameter in known.values()):
        return config
    keys: dict[str, Any] = {str(key): value for key, value in config.items()}
    unknown = [key for key in keys if key not in known and not key.startswith("_")]  # Hydra's own
    if not unknown:
        return config
    defaults = _options_with(unknown)
    left = {k: v for k, v in keys.items() if k == _TARGET or defaults.get(k, _ABSENT) != v}
    for key in unknown:
        if key in left:
            names = ", ".join(sorted(known))
            raise UserError(
                f"unknown key '{_NODE}{key}': {config._target_} has {names}, and no {key}"
            )
    made = OmegaConf.create(left)
    assert isinstance(made, DictConfig)
    return made


def _options_with(keys: list[str]) -> dict[str, Any]:
    """The values of the sampler in conf/ that has most of these keys."""
    paths = sorted((CONF_DIR / "hydra" / "sweeper" / "sampler").glob("*.yaml"))
    options: list[dict[str, Any]] = [plain_yaml(path.read_text(encoding="utf-8")) for path in paths]
    return max(options, key=lambda values: sum(key in values for key in keys))


def _relate_what_all_have(sampler: BaseSampler, space: Space, conditional: Collection[str]) -> None:
    """Have a sampler without a notion of conditions draw by itself what all trials have.

    It would take what the trials so far have in common, and CMA-ES gives up where that shrinks. Of
    a sequence's points what is inactive is left out.
    """
    inferred = sampler.infer_relative_search_space

    def infer(study: Study, trial: FrozenTrial) -> Space:
        found = inferred(study, trial)
        if isinstance(sampler, NumberedPoints):
            return space if found else {}
        return {name: found[name] for name in found if name not in conditional}

    if isinstance(sampler, (NumberedPoints, *WITHOUT_CONDITIONS)):
        sampler.infer_relative_search_space = infer  # type: ignore[method-assign]


def note_on_conditions(sampler: BaseSampler, conditional: Collection[str]) -> str | None:
    """A line where a sampler leaves to chance what only some trials have; else None."""
    if not conditional or not isinstance(sampler, WITHOUT_CONDITIONS):
        return None
    are = "is" if len(conditional) == 1 else "are"
    return (
        f"note: {type(sampler).__name__} learns of what every trial has, and "
        f"{', '.join(conditional)} {are} drawn at random; hydra/sweeper/sampler=tpe (the default) "
        "learns of all"
    )


def _decided(config: DictConfig, n_trials: int, is_conditional: bool) -> dict[str, Any]:
    """What ``auto`` stands for, by key; raises UserError for a value that is not allowed.

    Not the number of workers: a later launch may have another, and its proposals are to be those of
    the first.
    """
    for rule in _RULES:
        name = rule.key.removeprefix(_NODE)
        if name in config:
            rule.check(config[name])
    is_apart = config.get("multivariate") is False
    if config.get("group") is True and is_apart:
        raise UserError(f"{_NODE}group=true needs {_NODE}multivariate=true, or null")
    decided = {
        "n_startup_trials": min(max(n_trials // 4, FEWEST_RANDOM), MOST_RANDOM),
        "group": is_conditional and not is_apart,
    }
    return {key: value for key, value in decided.items() if config.get(key) == "auto"}


def _derived(seed: int, number: int, attempt: int) -> int:
    name = f"{seed}/trial {number}" + (f"/attempt {attempt}" if attempt else "")
    digest = hashlib.sha256(name.encode()).digest()
    return int.from_bytes(digest[:4], "big")


def is_grid_sampler(config: DictConfig) -> bool:
    return get_object(config._target_) is GridSampler


def grid_choices(space: Space) -> dict[str, list[Any]]:
    """The values of each parameter, of which each has an end."""
    return {name: grid_values(distribution) for name, distribution in space.items()}


def grid_size(space: Space) -> int:
    """How many points the grid sampler goes through.

    Raises:
        UserError: a parameter has no end of values.
    """
    reals = {name: one for name, one in space.items() if isinstance(one, FloatDistribution)}
    endless = [name for name, one in reals.items() if one.step is None]
    if endless:
        raise UserError(
            f"hydra/sweeper/sampler=grid goes through every value, and {and_more(endless)} "
            f"{'is an interval' if len(endless) == 1 else 'are intervals'} without steps: allowed "
            "are values with commas between, range(START, STOP, STEP), another sampler"
        )
    return math.prod(len(choices) for choices in grid_choices(space).values())
