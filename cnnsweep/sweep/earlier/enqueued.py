"""What a study is to try first: the default config, then points that were given, each once."""

from collections.abc import Callable
from typing import Any

from optuna.study import Study
from optuna.trial import TrialState

from cnnsweep.errors import UserError
from cnnsweep.folders.sweep_folder import IS_DEFAULT, POINT
from cnnsweep.sweep.earlier.chosen import record_chosen
from cnnsweep.sweep.earlier.default_config import default_config, record_default
from cnnsweep.sweep.earlier.points_file import POINTS_KEY
from cnnsweep.sweep.journal.tried import number_of_trials
from cnnsweep.sweep.machine.workers import counted
from cnnsweep.sweep.spec.compose import SweepContext
from cnnsweep.sweep.spec.plan import FOLDER, Plan
from cnnsweep.sweep.spec.settings import Settings
from cnnsweep.sweep.spec.space.points import identity

POINTS = "points"  # the study attribute that holds those given, in their order
Point = dict[str, Any]


def enqueue_first(
    study: Study, plan: Plan, settings: Settings, context: SweepContext, say: Callable[[str], None]
) -> None:
    """Enqueue the default config as trial 0 and what was given after it; may be called again.

    A given point that is the default config is marked as it, also where that is not to come first.
    The given points are recorded first, so that a launch that was killed here is made good by the
    next one. One that is given more than are recorded adds those that no trial has tried.

    Raises:
        UserError: there are more points than trials left.
    """
    default, note, itself = None, None, None
    if not _is_ours(study):
        itself = record_default(study, plan, settings, context)
        default, note = default_config(plan, settings, context)
        if default is not None and _is_enqueued_by_others(study):
            default, note = (
                None,
                (
                    "note: the default config is no trial of this search: in its place come those "
                    f"that others have enqueued in study {study.study_name!r}"
                ),
            )
    if note is not None:
        say(note)
    points = _recorded_points(study, plan, settings, default, say)
    key = None if itself is None else identity(itself)
    if default is not None and identity(default) not in map(identity, points):
        study.enqueue_trial(default, user_attrs={IS_DEFAULT: True})
    trials = study.get_trials(deepcopy=False)
    there = {trial.user_attrs[POINT] for trial in trials if POINT in trial.user_attrs}
    for number, point in enumerate(points):
        if number not in there:
            more = {IS_DEFAULT: True} if identity(point) == key else {}
            study.enqueue_trial(point, user_attrs={POINT: number} | more)


def _is_ours(study: Study) -> bool:
    """Whether the default config had its turn."""
    trials = study.get_trials(deepcopy=False)
    return any(FOLDER in t.user_attrs or IS_DEFAULT in t.user_attrs for t in trials)


def _is_enqueued_by_others(study: Study) -> bool:
    waiting = study.get_trials(deepcopy=False, states=(TrialState.WAITING,))
    return any(POINT not in trial.user_attrs for trial in waiting)


def _recorded_points(
    study: Study,
    plan: Plan,
    settings: Settings,
    default: Point | None,
    say: Callable[[str], None],
) -> list[Point]:
    """All points that were given, those of this launch recorded after the earlier ones."""
    recorded: list[Point] | None = study.user_attrs.get(POINTS)
    before = recorded or []
    if plan.given is None:
        if settings.points is not None and recorded is None:
            raise UserError(
                f"{POINTS_KEY}={settings.points} is gone, and its points are not recorded"
            )
        return before
    trials = study.get_trials(deepcopy=False)
    tried = (trial.system_attrs.get("fixed_params", trial.params) for trial in trials)
    known = {identity(point) for point in (*before, *tried)}
    new = [dict(p) for p in plan.given.points if identity(p) not in known]
    is_apart = default is not None and identity(default) not in map(identity, (*before, *new))
    room = max(0, plan.n_trials - number_of_trials(study) - is_apart)
    found = len(new)
    if plan.given.may_be_cut:
        new = new[:room]
    elif len(new) > room:
        least = plan.n_trials + len(new) - room
        raise UserError(
            f"{POINTS_KEY}: {plan.given.source} has {len(new)} points that this search has not "
            f"tried, and hydra.sweeper.n_trials={plan.n_trials} leaves room for {room}: allowed "
            f"are {least} trials or more"
        )
    for line in plan.given.lines:
        say(f"{plan.prefix}{line}")
    record_chosen(study, plan.given)
    if new or recorded is None:
        study.set_user_attr(POINTS, [*before, *new])
    if new:
        points = counted(len(new), "more point" if before else "point")
        cut = f", the best of {found}: there is room for no more" if found > len(new) else ""
        say(f"{plan.prefix}tried first: {points} of {plan.given.source}{cut}")
    return [*before, *new]
