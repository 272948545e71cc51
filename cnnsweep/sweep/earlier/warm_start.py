"""Trials of earlier sweeps that the samplers of a search know, and that are none of its own.

They are kept beside the study's trials, in an attribute of it: so they have no number or folder
there, count as nothing, and what Optuna does with its trials never meets them.
"""

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from hydra.utils import get_object
from optuna.samplers import (
    BruteForceSampler,
    CmaEsSampler,
    GridSampler,
    QMCSampler,
    RandomSampler,
)
from optuna.study import Study
from optuna.trial import FrozenTrial, TrialState, create_trial

from cnnsweep.errors import UserError
from cnnsweep.folders.run_folder import PAUSED
from cnnsweep.sweep.earlier.comparable import Comparable
from cnnsweep.sweep.earlier.given import values_in, why_no_point
from cnnsweep.sweep.earlier.launched import given_before
from cnnsweep.sweep.earlier.runs import COMPLETED, PRUNED, EarlierTrial, read_trials
from cnnsweep.sweep.freeze_thaw.paused import PAUSED as PAUSED_AT
from cnnsweep.sweep.machine.workers import counted
from cnnsweep.sweep.spec.compose import SweepContext
from cnnsweep.sweep.spec.formatting import format_params, format_value
from cnnsweep.sweep.spec.optuna_internals import numbered
from cnnsweep.sweep.spec.plan import Earlier, Plan
from cnnsweep.sweep.spec.settings import Settings
from cnnsweep.sweep.spec.space.search_space import SearchSpace

KEY = "hydra.sweeper.warm_start"
WARM = "warm_start"  # the study attribute: trials as plain values, by the folder as it was typed
RUN = "run_folder"  # the attribute of such a trial that names its run folder
_FEW = 3  # reasons that are listed
_LEARN_NOTHING = (RandomSampler, QMCSampler, GridSampler, BruteForceSampler, CmaEsSampler)


def with_warm_start(context: SweepContext, settings: Settings, plans: Sequence[Plan]) -> list[Plan]:
    """The plans, each with the trials of earlier sweeps that are comparable with its own.

    A folder that an earlier launch was given is recorded in the studies, and need not be there.

    Raises:
        UserError: a folder is no sweep's, none of its trials is comparable, or nobody would learn.
    """
    if not settings.earlier:
        return list(plans)
    _refuse_if_idle(context, settings)
    choices = {plan.choice: Comparable(context, plan) for plan in reversed(plans)}
    before = given_before(plans, KEY)
    found: dict[str, list[Earlier]] = {choice: [] for choice in choices}
    for folder in settings.earlier:
        try:
            one = _read(folder, context.folder, choices)
        except UserError:
            if folder not in before:
                raise
            continue
        for choice, earlier in one.items():
            found[choice].append(earlier)
    return [replace(plan, earlier=tuple(found[plan.choice])) for plan in plans]


def _refuse_if_idle(context: SweepContext, settings: Settings) -> None:
    if not context.is_our_task:
        raise UserError(f"{KEY} takes runs of cnnsweep's own, and these are another app's")
    sampler = get_object(settings.sampler._target_)
    if isinstance(sampler, type) and issubclass(sampler, _LEARN_NOTHING):
        raise UserError(
            f"{KEY}: {sampler.__name__} learns nothing of trials that are not its own; allowed is "
            "hydra/sweeper/sampler=tpe, gp, nsgaii or nsgaiii"
        )


def _read(folder: str, itself: Path, choices: Mapping[str, Comparable]) -> dict[str, Earlier]:
    """The trials in a folder that are comparable with those of each choice.

    Raises:
        UserError: there is none.
    """
    trials = read_trials(Path(folder), KEY, itself)
    found: dict[str, Earlier] = {}
    reasons = Counter[str]()
    for choice, comparable in choices.items():
        left_out = Counter[str]()
        taken: list[dict[str, Any]] = []
        for trial in trials:
            one = _plain_or_why_not(trial, comparable)
            if isinstance(one, str):
                left_out[one] += 1
            else:
                taken.append(one)
        line = f"{KEY}: the sampler knows {len(taken)} of {len(trials)} trials of {folder}"
        line += f"; left out: {_said(left_out)}" if left_out else ""
        found[choice] = Earlier(folder, tuple(taken), line)
        reasons += left_out
    if not any(one.trials for one in found.values()):
        raise UserError(
            f"{KEY}: none of the {len(trials)} trials of {folder} is comparable with those of this "
            f"sweep: {_said(reasons)}"
        )
    return found


def _plain_or_why_not(trial: EarlierTrial, comparable: Comparable) -> dict[str, Any] | str:
    space = comparable.plan.space
    values = values_in(space, trial)
    why_not = why_no_point(space, values)
    if why_not is not None:
        return why_not
    point = space.drawn(values)
    why_not = comparable.why_not(trial, point) or _useless(trial)
    return _plain(trial, point) if why_not is None else why_not


def record_warm_start(
    study: Study, plan: Plan, settings: Settings, say: Callable[[str], None]
) -> None:
    """Record the earlier trials in the study, those of each folder once; may be called again.

    Raises:
        UserError: a folder went away before its trials were recorded.
    """
    before: dict[str, Any] = study.user_attrs.get(WARM) or {}
    new = {one.folder: one for one in plan.earlier if one.folder not in before}
    for folder in settings.earlier:
        if folder not in before and folder not in new:
            raise UserError(f"{KEY}: {folder} is gone, and its trials are not recorded")
        if folder in before:
            gone = "" if Path(folder).exists() else " (by now there is no such folder)"
            say(
                f"{plan.prefix}{KEY}: the sampler knows {counted(len(before[folder]), 'trial')} of "
                f"{folder}{gone}, as an earlier launch recorded"
            )
    if new:
        added = {folder: list(one.trials) for folder, one in new.items()}
        study.set_user_attr(WARM, before | added)
        for one in new.values():
            say(f"{plan.prefix}{one.line}")


def earlier_trials(study: Study, space: SearchSpace) -> list[FrozenTrial]:
    """The recorded trials as samplers are to see them, numbered backwards from -1.

    One that this search's bounds, which a later launch may have changed, leave out is left out.
    Paused ones are running, as such of the study are.
    """
    recorded: dict[str, list[dict[str, Any]]] = study.user_attrs.get(WARM) or {}
    plain = [trial for trials in recorded.values() for trial in trials]
    found = (_frozen(one, -1 - number, space) for number, one in enumerate(plain))
    return [trial for trial in found if trial is not None][::-1]


def better_before(study: Study, plan: Plan, best: FrozenTrial | None) -> list[str]:
    """A line on the best recorded trial that was completed, where it beats ``best``, the winner."""
    if len(plan.objectives) > 1:
        return []
    earlier = earlier_trials(study, plan.space)
    completed = [trial for trial in earlier if trial.state is TrialState.COMPLETE]
    sign = 1 if plan.directions[0] == "maximize" else -1
    top = max(completed, key=lambda trial: sign * trial.values[0], default=None)
    if top is None or (best is not None and sign * top.values[0] <= sign * best.values[0]):
        return []
    value, params = format_value(top.values[0]), format_params(plan.params(top))
    return [
        f"a trial known beforehand was better: {plan.objectives[0]} {value} ({params}), in "
        f"{top.user_attrs[RUN]}"
    ]


def _frozen(plain: Mapping[str, Any], number: int, space: SearchSpace) -> FrozenTrial | None:
    state = {COMPLETED: TrialState.COMPLETE, PRUNED: TrialState.PRUNED}.get(plain["status"])
    curve = {int(epoch): value for epoch, value in plain["curve"].items()}
    if why_no_point(space, plain["params"]) is not None:
        return None
    attributes = {RUN: plain[RUN]}
    if plain["status"] == PAUSED:
        attributes |= {PAUSED_AT: max(curve)}
    trial = create_trial(
        state=state or TrialState.RUNNING,
        values=plain["values"] if state is TrialState.COMPLETE else None,
        params=plain["params"],
        distributions={name: space.distributions[name] for name in plain["params"]},
        user_attrs=attributes,
        intermediate_values=curve,
    )
    return numbered(trial, number)


def _useless(trial: EarlierTrial) -> str | None:
    """Why there is nothing to learn from a trial."""
    if trial.status == COMPLETED:
        return None if trial.values is not None else "no value of the objective"
    return None if trial.curve() else "no value after any epoch"


def _plain(trial: EarlierTrial, point: Mapping[str, Any]) -> dict[str, Any]:
    is_over = trial.status == COMPLETED
    curve = {} if is_over else {str(k): v for k, v in trial.curve().items() if math.isfinite(v)}
    return {
        "params": dict(point),
        "status": trial.status,
        "values": trial.values if is_over else None,
        "curve": curve,
        RUN: str(trial.folder.resolve()),
    }


def _said(reasons: Counter[str]) -> str:
    listed = [f"{number} for {why}" for why, number in reasons.most_common(_FEW)]
    others = sum(reasons.values()) - sum(n for _, n in reasons.most_common(_FEW))
    return "; ".join([*listed, *([f"{others} for other reasons"] if others else [])])
