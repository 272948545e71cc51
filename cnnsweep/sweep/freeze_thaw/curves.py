"""The learning curves of a study's trials, as the rule takes them."""

import math
from collections.abc import Callable, Iterator, Sequence

from optuna.study import Study, StudyDirection
from optuna.trial import FrozenTrial, TrialState

from cnnsweep.sweep.freeze_thaw.curve import Curve
from cnnsweep.sweep.freeze_thaw.paused import is_paused


def curves_of(
    study: Study, epochs: Callable[[FrozenTrial], int], current: int | None = None
) -> list[Curve]:
    """The curves of all trials that were begun, in their order, larger values being better.

    ``epochs`` tells how many a trial has in all; ``current`` is a running trial that may go on or
    be paused now. A value that is no finite number counts as the worst that any trial has reached.
    """
    trials = [t for t in study.get_trials(deepcopy=False) if t.state is not TrialState.WAITING]
    sign = 1.0 if study.direction is StudyDirection.MAXIMIZE else -1.0
    values = [[sign * value for value in _by_epoch(trial)] for trial in trials]
    worst = min((v for row in values for v in row if math.isfinite(v)), default=0.0)
    return [
        _curve(trial, epochs(trial), tuple(v if math.isfinite(v) else worst for v in row), current)
        for trial, row in zip(trials, values, strict=True)
    ]


def _curve(
    trial: FrozenTrial, epochs: int, values: tuple[float, ...], current: int | None
) -> Curve:
    if trial.state is TrialState.COMPLETE:  # perhaps early
        return Curve(trial.number, values, len(values), "over")
    if trial.state.is_finished():
        return Curve(trial.number, values, max(epochs, len(values) + 1), "over")
    is_idle = is_paused(trial) or trial.number == current
    return Curve(trial.number, values, max(epochs, len(values)), "paused" if is_idle else "running")


def _by_epoch(trial: FrozenTrial) -> Iterator[float]:
    """The value after each epoch from the first to the last; a missing one is the one before."""
    known = trial.intermediate_values
    steps: Sequence[int] = range(1, (trial.last_step or 0) + 1)
    value = math.nan
    for step in steps:
        value = known.get(step, value)
        yield value
