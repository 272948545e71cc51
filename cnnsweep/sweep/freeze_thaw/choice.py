"""Where trials can be paused; what is chosen where they cannot, and what is refused."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from omegaconf import DictConfig, OmegaConf

from cnnsweep.config import CONF_DIR
from cnnsweep.config.overrides import hydra_lines
from cnnsweep.errors import UserError
from cnnsweep.metric_names import EPOCH_METRICS
from cnnsweep.rules import whole
from cnnsweep.sweep.freeze_thaw.pruner import FreezeThaw
from cnnsweep.sweep.freeze_thaw.reserve import least_epochs
from cnnsweep.sweep.spec.compose import SweepContext
from cnnsweep.sweep.spec.plan import UNNAMED, Plan
from cnnsweep.sweep.spec.run_keys import EPOCHS
from cnnsweep.sweep.spec.settings import Settings
from cnnsweep.sweep.spec.space.search_space import ends_of

TARGET = f"{FreezeThaw.__module__}.{FreezeThaw.__name__}"
_METRIC, _CHECKPOINT = "hydra.sweeper.metric", "hydra.sweeper.checkpoint"
_GROUP, _NODE = "hydra/sweeper/pruner", "hydra.sweeper.pruner"


def with_fitting_pruner(
    settings: Settings, plans: Sequence[Plan], context: SweepContext
) -> Settings:
    """The settings, with another pruner where these searches cannot pause trials.

    Raises:
        UserError: pausing was typed all the same.
    """
    reason = next((r for plan in plans if (r := _obstacle(plan, settings, context))), None)
    if settings.pruner._target_ != TARGET or reason is None:
        return settings
    if is_typed(context):
        raise UserError(f"{_GROUP}=freeze_thaw cannot pause these trials: {reason}")
    is_prunable = not context.is_our_task and len(plans[0].objectives) == 1
    return replace(settings, pruner=option("median" if is_prunable else "none"))


def note_on_pausing(plan: Plan, settings: Settings, context: SweepContext) -> str | None:
    """A line where trials that could go on cannot be paused; else None."""
    reason = _obstacle(plan, settings, context) if settings.checkpoint is not None else None
    return None if reason is None else f"note: trials are not paused: {reason}"


def is_typed(context: SweepContext) -> bool:
    """Whether a pruner, or a key of one, stands on the command line."""
    words = hydra_lines(context.config.hydra)
    return any(word.lstrip("+~").startswith((_GROUP, f"{_NODE}.")) for word in words)


def option(name: str) -> DictConfig:
    """A pruner of conf/."""
    loaded = OmegaConf.load(CONF_DIR / _GROUP / f"{name}.yaml")
    assert isinstance(loaded, DictConfig)
    return loaded


def pruner_as_begun(
    recorded: Mapping[str, Any], present: DictConfig, say: Callable[[str], None]
) -> DictConfig:
    """The pruner of a search that was begun when the median pruner was the default."""
    former = option("median")
    if present._target_ != TARGET or recorded != OmegaConf.to_container(former):
        return present
    say(
        f"note: this search was begun with {_GROUP}=median, the default then, and keeps it; "
        f"{_GROUP}=freeze_thaw changes that"
    )
    return former


def check_pausing(pruner: object, plan: Plan) -> None:
    """Refuse a budget with which a search cannot be brought to its end.

    Raises:
        UserError: says how much it needs.
    """
    if not isinstance(pruner, FreezeThaw):
        return
    least, most = pruner.terms.min_epochs, plan.most_epochs
    if least > most:
        raise UserError(
            f"{_NODE}.min_epochs={least} is more than {EPOCHS}={most}, which a trial has in all"
        )
    trials = plan.n_trials if plan.points is None else min(plan.n_trials, plan.points)
    needed, budget = least_epochs(trials, most, least), pruner.terms.budget
    if budget != "auto" and budget * trials * most < needed - 1e-6:
        share = _rounded_up(needed / (trials * most))
        raise UserError(
            f"{_NODE}.budget={budget:g} is too little: {least} of {most} epochs for each of "
            f"{trials} trials, and all of them for the winner, are {needed} of {trials * most}; "
            f"allowed is {share:g} up to 1, or auto"
        )


def _rounded_up(share: float) -> float:
    return min(1.0, -(-round(share * 1000, 6) // 1) / 1000)


def _obstacle(plan: Plan, settings: Settings, context: SweepContext) -> str | None:
    """Why a search's trials cannot be paused; None where they can."""
    if len(plan.objectives) > 1:
        return f"that needs one objective, not {len(plan.objectives)}"
    name = plan.objectives[0]
    if context.is_our_task and name not in EPOCH_METRICS:
        return (
            f"objective={name} is not known after each epoch; allowed are "
            f"{', '.join(EPOCH_METRICS)}"
        )
    if not context.is_our_task and (reason := _obstacle_of_app(plan, settings, context)):
        return reason
    drawn = plan.space.distributions.get(EPOCHS)
    epochs = (plan.config.get(EPOCHS),) if drawn is None else ends_of(drawn)
    if unfit := [value for value in epochs if not whole(EPOCHS, 1).is_fit(value)]:
        return f"that needs a config key {EPOCHS}, a whole number, and not {unfit[0]}"
    return None


def _obstacle_of_app(plan: Plan, settings: Settings, context: SweepContext) -> str | None:
    if plan.objectives == (UNNAMED,):
        return f"no metric is named that says how good they are after an epoch ({_METRIC})"
    if settings.checkpoint is None and not is_typed(context):
        return f"no file is named from which another app's runs go on ({_CHECKPOINT})"
    return None
