"""Taking over a study that plain Optuna began, with trials of its own."""

from collections.abc import Callable, Sequence

from optuna.distributions import check_distribution_compatibility
from optuna.storages import BaseStorage
from optuna.study import Study, load_study
from optuna.trial import FrozenTrial, TrialState

from cnnsweep.errors import UserError
from cnnsweep.sweep.freeze_thaw.known import as_drawn_here
from cnnsweep.sweep.journal.theirs import THEIRS, is_theirs, ours
from cnnsweep.sweep.machine.workers import counted
from cnnsweep.sweep.spec.formatting import format_params, format_value
from cnnsweep.sweep.spec.plan import FOLDER, Plan
from cnnsweep.sweep.spec.space.in_words import drawn_from

_STUDY = "hydra.sweeper.study_name"


def check_others(storage: BaseStorage, plan: Plan, is_begun: Callable[[Study], bool]) -> None:
    """Refuse a search in a study of others that could not go on; ``is_begun``: it is ours by now.

    Raises:
        UserError: its direction, its number of trials or a parameter does not go with the search.
    """
    try:
        study = load_study(study_name=plan.study_name, storage=storage)
    except KeyError:  # there is none yet
        return
    if not is_begun(study):
        _refuse(study, plan, _trials_of_others(study))


def take_over(study: Study, plan: Plan, say: Callable[[str], None]) -> None:
    """Record which trials others have run, or are at work on, before our first one.

    Raises:
        UserError: as :func:`check_others`.
    """
    theirs = _trials_of_others(study)
    if not theirs or THEIRS in study.user_attrs:
        return
    _refuse(study, plan, theirs)
    study.set_user_attr(THEIRS, [trial.number for trial in theirs])
    running = sum(not trial.state.is_finished() for trial in theirs)
    fitting = sum(
        as_drawn_here(trial, plan.space) is not None for trial in theirs if is_theirs(trial)
    )
    line = f"{plan.prefix}study {study.study_name!r} has {counted(len(theirs), 'trial')} that "
    line += "cnnsweep did not run: they stay as they are, and "
    line += f"hydra.sweeper.n_trials={plan.n_trials} counts them; the sampler knows "
    line += f"{fitting or 'none'} of them, "
    line += "those whose parameters fit this space" if fitting else "for none fits this space"
    say(f"{line}; {running} still running elsewhere: left alone" if running else line)


def better_of_others(study: Study) -> FrozenTrial | None:
    """The best completed trial of a study with one objective, where others ran it; else None."""
    if len(study.directions) > 1 or ours(study) is study:
        return None
    try:
        best = study.best_trial
    except ValueError:  # none is completed, or fit
        return None
    completed = ours(study).get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
    if not is_theirs(best) or any(trial.value == best.value for trial in completed):
        return None
    theirs = study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
    return next((trial for trial in theirs if trial.value == best.value), best)


def said_of(trial: FrozenTrial, plan: Plan) -> str:
    """A winner that cnnsweep did not run."""
    value, params = format_value(trial.value), format_params(plan.params(trial))
    said = f"trial {trial.number}, which cnnsweep did not run: {plan.objectives[0]} {value}"
    return f"{said} ({params})"


def _trials_of_others(study: Study) -> list[FrozenTrial]:
    """Those that are there before any of ours; what others enqueued is for us to run."""
    trials = study.get_trials(deepcopy=False)
    return [t for t in trials if t.state is not TrialState.WAITING and FOLDER not in t.user_attrs]


def refuse_other_directions(study: Study, plan: Plan, other: str) -> None:
    """Raise UserError, which ends with ``other``, where a study is not of the plan's directions."""
    recorded = [direction.name.lower() for direction in study.directions]
    if recorded != list(plan.directions):
        raise UserError(
            f"study {study.study_name!r} was begun with direction {', '.join(recorded)}, not "
            f"{', '.join(plan.directions)}; {other}"
        )


def _refuse(study: Study, plan: Plan, theirs: Sequence[FrozenTrial]) -> None:
    """Refuse what Optuna could not do, or nobody could read."""
    other = f"choose another {_STUDY}"
    refuse_other_directions(study, plan, other)
    for trial in theirs:
        for name, before in trial.distributions.items():
            now = plan.space.distributions.get(name)
            try:
                check_distribution_compatibility(before, before if now is None else now)
            except ValueError as error:
                assert now is not None
                raise UserError(
                    f"trial {trial.number} of study {study.study_name!r}, which cnnsweep did not "
                    f"run, has {name} from {drawn_from(before)}, and this search from "
                    f"{drawn_from(now)}: Optuna allows no other kind within a study; {other}"
                ) from error
    if len(theirs) >= plan.n_trials:
        raise UserError(
            f"study {study.study_name!r} has {len(theirs)} trials that cnnsweep did not run, and "
            f"hydra.sweeper.n_trials={plan.n_trials} counts them: allowed are more, or {other}"
        )
