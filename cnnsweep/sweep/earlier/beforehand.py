"""Trials that are none of a search's own, as its results and its last lines have them."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from optuna.study import Study
from optuna.trial import FrozenTrial, TrialState

from cnnsweep.folders.sweep_folder import BETTER, WARM_START
from cnnsweep.metric_names import best_first
from cnnsweep.sweep.earlier.others import better_of_others
from cnnsweep.sweep.earlier.warm_start import RUN, WARM, earlier_trials
from cnnsweep.sweep.spec.formatting import format_params, format_value
from cnnsweep.sweep.spec.plan import Plan
from cnnsweep.sweep.spec.space.values import typed_value


def beforehand(study: Study, plan: Plan, best: FrozenTrial | None) -> dict[str, Any]:
    """What the results say of them: those that the sampler knew, and one that beats ``best``."""
    recorded: dict[str, list[dict[str, Any]]] = study.user_attrs.get(WARM) or {}
    known = {_place(trials): len(trials) for trials in recorded.values() if trials}
    better = _best_of([better_of_others(study), best_known(study, plan, best)], plan)
    found = {} if better is None else {BETTER: _as_plain(better, plan)}
    return found | ({WARM_START: known} if known else {})


def best_known(study: Study, plan: Plan, best: FrozenTrial | None) -> FrozenTrial | None:
    """The best completed one that its sampler knew, where it beats ``best``, the winner."""
    if len(plan.objectives) > 1:
        return None
    earlier = earlier_trials(study, plan.space)[::-1]  # in the order of their folders
    top = _best_of([trial for trial in earlier if trial.state is TrialState.COMPLETE], plan)
    is_better = top is not None and (best is None or _rank(top, plan) > _rank(best, plan))
    return top if is_better else None


def lines_on_known(study: Study, plan: Plan, best: FrozenTrial | None) -> list[str]:
    """A line on :func:`best_known`."""
    top = best_known(study, plan, best)
    if top is None:
        return []
    value, params = format_value(top.values[0]), format_params(plan.params(top))
    return [
        f"a trial known beforehand was better: {plan.objectives[0]} {value} ({params}), in "
        f"{top.user_attrs[RUN]}"
    ]


def _best_of(trials: Sequence[FrozenTrial | None], plan: Plan) -> FrozenTrial | None:
    """The first of the best in the order given."""
    known = [trial for trial in trials if trial is not None]
    ranked = best_first(known, lambda trial: float(trial.values[0]), plan.directions[0])
    return next(iter(ranked), None)


def _rank(trial: FrozenTrial, plan: Plan) -> float:
    value = float(trial.values[0])
    return value if plan.directions[0] == "maximize" else -value


def _as_plain(trial: FrozenTrial, plan: Plan) -> dict[str, Any]:
    run = trial.user_attrs.get(RUN)
    return {
        "value": trial.values[0],
        "params": {name: typed_value(value) for name, value in plan.params(trial).items()},
        "trial": trial.number if run is None else None,
        "folder": run,
    }


def _place(trials: Sequence[Mapping[str, Any]]) -> str:
    """The folder of a search, or of several, in which recorded trials lie."""
    return os.path.commonpath([Path(trial[RUN]).parent for trial in trials])
