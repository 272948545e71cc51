"""What a search has still to do, and how it would go about it."""

from collections.abc import Iterator, Mapping
from random import Random
from typing import Any

import optuna
from omegaconf import DictConfig, OmegaConf
from optuna.distributions import BaseDistribution, CategoricalDistribution
from optuna.samplers import RandomSampler
from optuna.study import Study
from optuna.trial import FrozenTrial, TrialState

from cnnsweep.sweep.estimate.outlook import Config, Outlook, Pausing, Trial
from cnnsweep.sweep.freeze_thaw.curves import curves_of
from cnnsweep.sweep.freeze_thaw.pruner import FreezeThaw
from cnnsweep.sweep.journal.tried import number_of_begun
from cnnsweep.sweep.spec.compose import SweepContext
from cnnsweep.sweep.spec.formatting import format_params
from cnnsweep.sweep.spec.plan import Plan
from cnnsweep.sweep.spec.run_keys import EPOCHS
from cnnsweep.sweep.spec.settings import Settings
from cnnsweep.sweep.spec.space.in_words import described
from cnnsweep.sweep.study.search import Search

_SAMPLE = 24  # points of the space that stand for all trials
_FEW = 3  # points that are given, of which each has its line
_FIXED = "fixed_params"  # Optuna's attribute of a trial that somebody enqueued


def outlook_of_search(context: SweepContext, settings: Settings, search: Search) -> Outlook:
    """The trials that are still to be begun or to go on, and the confirmation runs."""
    plan = search.plan
    unbegun = max(0, search.asker.trials_in_all() - number_of_begun(search.study))
    configs = _configs(context, plan, search.asker.trials_in_all()) if context.is_our_task else []
    going = [
        Trial(index % len(configs), max(0, plan.epochs(trial) - (trial.last_step or 0)))
        for index, trial in enumerate(_running(search.study) if configs else [])
    ]
    fresh = [
        Trial(index % len(configs), int(configs[index % len(configs)][EPOCHS]))
        for index in range(unbegun if configs else 0)
    ]
    name = _class(settings.pruner)
    return Outlook(
        [] if plan.search_number else list(_lines(settings, search)),  # as those of search 0
        configs,
        [*going, *fresh],
        pausing=_pausing(search, unbegun) if configs else None,
        seeds=search.seeds,
        confirm=max(0, search.confirmation.wanted - len(search.confirmation.test_metrics())),
        epochs=plan.most_epochs if configs else 0,
        pruner=None if name in ("NopPruner", FreezeThaw.__name__) else name,
        kept=settings.keep_best,
        name=plan.choice,
        in_steps=plan.objectives[0].startswith("val_") and plan.objectives[0].endswith("accuracy"),
    )


def _running(study: Study) -> list[FrozenTrial]:
    """Trials that were left running, and those that are paused."""
    return study.get_trials(deepcopy=False, states=(TrialState.RUNNING,))


def _configs(context: SweepContext, plan: Plan, trials: int) -> list[Config]:
    """Configs of points of the space, drawn by chance, but the same at each call."""
    points = points_of(plan.space.distributions, min(_SAMPLE, max(1, trials)))
    drawn = [{name: one[name] for name in plan.space.active(one)} for one in points]
    words = {plan.overrides(point, test=False, pictures=False): None for point in drawn}
    composed = (context.compose(one, plan.subfolder or ".", 0) for one in words)
    return [context.resolved(config) for config in composed]


def points_of(space: Mapping[str, BaseDistribution], count: int) -> list[dict[str, Any]]:
    """Points drawn by chance, of a choice every one as often as any other."""
    study = optuna.create_study(sampler=RandomSampler(seed=0))
    drawn = [dict(study.ask(dict(space)).params) for _ in range(count)]
    draw = Random(0)
    for name, distribution in space.items():
        if isinstance(distribution, CategoricalDistribution):
            times = -(-count // len(distribution.choices))
            listed = [choice for _ in range(times) for choice in distribution.choices]
            for point, choice in zip(drawn, draw.sample(listed, len(listed)), strict=False):
                point[name] = choice
    return drawn


def _pausing(search: Search, unbegun: int) -> Pausing | None:
    pruner = search.study.pruner
    if not isinstance(pruner, FreezeThaw) or len(search.study.directions) > 1:
        return None
    curves = curves_of(search.study, search.plan.epochs)
    return Pausing(pruner.terms, search.plan.most_epochs, unbegun, curves)


def _lines(settings: Settings, search: Search) -> Iterator[str]:
    """The space, what is tried first, and who decides."""
    plan, space = search.plan, search.plan.space.distributions
    for name, distribution in space.items():
        yield f"{plan.space.said(name)}: {described(distribution)}"
    if settings.custom_search_space is not None:
        yield f"and what {settings.custom_search_space} draws"
    waiting = search.study.get_trials(deepcopy=False, states=(TrialState.WAITING,))
    fixed = [t.system_attrs[_FIXED] for t in waiting if _FIXED in t.system_attrs]
    for params in fixed[:_FEW]:
        yield f"tried first: {format_params(params)}"
    if len(fixed) > _FEW:
        more = len(fixed) - _FEW
        yield f"then {more} more that {'is' if more == 1 else 'are'} given"
    yield (
        f"sampler {_class(settings.sampler)}; pruner {_option(settings.pruner)}; "
        f"n_trials={plan.n_trials}, searches={settings.searches}, seeds={search.seeds}, "
        f"confirm={search.confirmation.wanted}"
    )


def _option(node: DictConfig) -> str:
    """An object of the config by its class, with the keys that are numbers or words."""
    plain: Any = OmegaConf.to_container(node, resolve=True)
    keys = (f"{k}={v}" for k, v in plain.items() if not k.startswith("_") and v is not None)
    said = ", ".join(keys)
    return f"{_class(node)} ({said})" if said else _class(node)


def _class(node: DictConfig) -> str:
    return str(node._target_).rpartition(".")[2]
