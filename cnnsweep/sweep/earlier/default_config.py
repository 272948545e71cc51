"""The config as it is without the search, as a point of its space."""

from typing import Any

from hydra.errors import HydraException
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException
from optuna.study import Study

from cnnsweep.errors import UserError
from cnnsweep.rules import as_typed
from cnnsweep.sweep.spec.compose import SweepContext
from cnnsweep.sweep.spec.plan import Plan
from cnnsweep.sweep.spec.samplers import is_grid_sampler
from cnnsweep.sweep.spec.settings import Settings
from cnnsweep.sweep.spec.space.values import drawn_for

DEFAULT = "default config"  # the study attribute that holds its point
Point = dict[str, Any]


def default_config(
    plan: Plan, settings: Settings, context: SweepContext
) -> tuple[Point | None, str | None]:
    """The point of the default config where it is to be trial 0, or else a line on why it isn't."""
    return _in_space(plan, context) if _comes_first(settings) else (None, None)


def record_default(
    study: Study, plan: Plan, settings: Settings, context: SweepContext
) -> Point | None:
    """Record the point of a new study's default config, which a trial may draw by itself.

    None where the space does not hold it, and where it composes with drawn values alone.
    """
    try:
        point, _ = _in_space(plan, context)
    except (UserError, HydraException, OmegaConfBaseException):
        if _comes_first(settings):
            raise
        return None
    if point is not None and study.user_attrs.get(DEFAULT) is None:
        study.set_user_attr(DEFAULT, point)
    return point


def _comes_first(settings: Settings) -> bool:
    return settings.default_first and not is_grid_sampler(settings.sampler)


def _in_space(plan: Plan, context: SweepContext) -> tuple[Point | None, str | None]:
    space = plan.space
    if not space.distributions:
        return None, None
    fixed = space.fixed_with(context.config.hydra.runtime.choices)
    default = context.compose(fixed, plan.subfolder or ".", 0)
    defaults = {name: _default(default, name) for name in space.distributions}
    drawn = {name: space.distributions[name] for name in space.active(defaults)}
    points = {name: drawn_for(d, defaults[name]) for name, d in drawn.items()}
    outside = [name for name, point in points.items() if not point]
    if outside:
        said = ", ".join(f"{name}={as_typed(defaults[name])}" for name in outside)
        note = f"note: the default config is no trial of this search: {said} is outside its space"
        return None, note
    return {name: point[0] for name, point in points.items()}, None


def _default(config: DictConfig, name: str) -> Any:
    """The plain value of a key, or the choice of a config group."""
    choices = config.hydra.runtime.choices
    if name in choices:
        return choices[name]
    if OmegaConf.is_missing(config, name):
        return None
    value = OmegaConf.select(config, name)
    return OmegaConf.to_container(value) if OmegaConf.is_config(value) else value
