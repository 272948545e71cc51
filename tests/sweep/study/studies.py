"""Studies and configs in memory, for tests that need no process."""

from collections.abc import Callable, Mapping
from typing import Any

import optuna
from omegaconf import DictConfig, OmegaConf
from optuna.distributions import FloatDistribution, IntDistribution
from optuna.pruners import BasePruner
from optuna.trial import FrozenTrial, Trial

from cnnsweep.metric_names import Direction
from cnnsweep.sweep.spec.optuna_internals import allow_stop
from cnnsweep.sweep.spec.samplers import Sampling, Space
from cnnsweep.sweep.spec.space.conditions import Condition
from cnnsweep.sweep.spec.space.points import count_points
from cnnsweep.sweep.study.ask import Asker

SPACE: Space = {"x": FloatDistribution(0.0, 1.0), "n": IntDistribution(1, 9)}


def sampler(name: str, **keys: Any) -> DictConfig:
    """A sampler's config, as conf/ or Hydra's plugin has it."""
    return OmegaConf.create({"_target_": f"optuna.samplers.{name}", "seed": None, **keys})


def make_study(pruner: BasePruner | None = None, direction: Direction = "minimize") -> optuna.Study:
    return optuna.create_study(study_name="test", pruner=pruner, direction=direction)


def asker(study: optuna.Study, config: DictConfig, seed: int = 0) -> Asker:
    allow_stop(study)
    return small_asker(study, config, SPACE, seed=seed)


def small_asker(
    study: optuna.Study,
    config: DictConfig,
    space: Space,
    extend: Callable[[DictConfig, Trial], None] | None = None,
    *,
    seed: int = 0,
    wanted: int = 1,
    conditions: Mapping[str, Condition] | None = None,
) -> Asker:
    """Of a space that may have an end; it is gone through where as many trials are ``wanted``."""
    when = conditions or {}
    points = None if extend is not None else count_points(space, when)
    sampling = Sampling(
        config, seed, space, wanted, is_conditional=bool(when), conditional=tuple(when)
    )
    return Asker(study, sampling, space, extend, OmegaConf.create({}), wanted, points, when)


def run_trials(study: optuna.Study, config: DictConfig, count: int) -> list[Mapping[str, Any]]:
    """Ask and tell ``count`` trials of a parabola; their parameters."""
    asked = asker(study, config)
    for _ in range(count):
        trial = asked.ask()
        study.tell(trial.number, (trial.params["x"] - 0.3) ** 2 + trial.params["n"])
    return [trial.params for trial in study.trials]


def running(study: optuna.Study) -> FrozenTrial:
    """The last trial of a study."""
    return study.trials[-1]
