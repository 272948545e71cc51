"""The first trial of a search: the config as it is without it, where the space holds that."""

from collections.abc import Callable
from typing import Any

from omegaconf import DictConfig, OmegaConf
from optuna.distributions import BaseDistribution, CategoricalDistribution
from optuna.study import Study
from optuna.trial import TrialState, create_trial

from cnnsweep.folders.sweep_folder import IS_DEFAULT
from cnnsweep.rules import as_typed
from cnnsweep.sweep.spec.compose import SweepContext
from cnnsweep.sweep.spec.plan import Plan
from cnnsweep.sweep.spec.samplers import is_grid_sampler
from cnnsweep.sweep.spec.settings import Settings
from cnnsweep.sweep.spec.space.values import typed_value, written


def enqueue_default(
    study: Study,
    plan: Plan,
    settings: Settings,
    context: SweepContext,
    say: Callable[[str], None],
) -> None:
    """Enqueue the config as it is without the search as trial 0, where the space holds it."""
    space = plan.space
    if is_grid_sampler(settings.sampler) or not space.distributions:
        return
    fixed = space.fixed_with(context.config.hydra.runtime.choices)
    default = context.compose(fixed, plan.subfolder or ".", 0)
    defaults = {name: _default(default, name) for name in space.distributions}
    drawn = {name: space.distributions[name] for name in space.active(defaults)}
    points = {name: default_point(d, defaults[name]) for name, d in drawn.items()}
    outside = [name for name, point in points.items() if not point]
    if outside:
        said = ", ".join(f"{name}={as_typed(defaults[name])}" for name in outside)
        say(f"note: the default config is no trial of this search: {said} is outside its space")
        return
    study.enqueue_trial({n: point for n, (point,) in points.items()}, user_attrs={IS_DEFAULT: True})


def _default(config: DictConfig, name: str) -> Any:
    """The plain value of a key, or the choice of a config group."""
    choices = config.hydra.runtime.choices
    if name in choices:
        return choices[name]
    if OmegaConf.is_missing(config, name):
        return None
    value = OmegaConf.select(config, name)
    return OmegaConf.to_container(value) if OmegaConf.is_config(value) else value


def default_point(distribution: BaseDistribution, value: Any) -> list[Any]:
    """What a distribution draws where it sets ``value``, in a list; [] where it never does."""
    if isinstance(distribution, CategoricalDistribution):
        choices = distribution.choices
        return [c for c in choices if written(typed_value(c)) == written(value)][:1]
    if not isinstance(value, int | float) or isinstance(value, bool):
        return []
    try:
        create_trial(state=TrialState.WAITING, params={"": value}, distributions={"": distribution})
    except ValueError:
        return []
    return [value]
