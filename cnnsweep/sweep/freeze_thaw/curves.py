"""The learning curves of a study's trials, as the rule takes them."""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Literal

from optuna.study import Study, StudyDirection
from optuna.trial import FrozenTrial, TrialState

from cnnsweep.sweep.freeze_thaw.curve import Curve
from cnnsweep.sweep.freeze_thaw.paused import is_paused
from cnnsweep.sweep.journal.theirs import before_ours
from cnnsweep.sweep.spec.plan import FOLDER


class CurveBook:
    """The curves of all trials that were begun; only those of trials that changed are made anew.

    ``epochs`` tells how many a trial has in all. Larger values are better. A value that is no
    finite number counts as the worst that any trial has reached.
    """

    def __init__(self, study: Study, epochs: Callable[[FrozenTrial], int]) -> None:
        self._study = study
        self._epochs = epochs
        self._sign = 1.0 if study.direction is StudyDirection.MAXIMIZE else -1.0
        self._trials: list[FrozenTrial] = []
        self._curves: list[Curve | None] = []  # by number; None: it waits, or is others'
        self._broken: set[int] = set()  # those with values that are no finite numbers
        self.edition = 0  # another one for other curves

    def read(self, current: int | None = None) -> list[Curve]:
        """In the order of trials; ``current``: a running one that may go on or be paused now."""
        self._take_up(self._study.get_trials(deepcopy=False))
        curves = list(self._curves)
        for number in self._broken:
            curves[number] = self._mended(curves[number])
        if current is not None and (curve := curves[current]) is not None:
            curves[current] = curve if curve.state == "over" else replace(curve, state="paused")
        return [curve for curve in curves if curve is not None]

    def _take_up(self, trials: list[FrozenTrial]) -> None:
        known, begun = len(self._trials), zip(self._trials, trials, strict=False)
        changed = [number for number, (before, now) in enumerate(begun) if before is not now]
        for number in (*changed, *range(known, len(trials))):
            curve = self._curve(trials[number])
            self._curves[number : number + 1] = [curve]
            self._broken.discard(number)
            if curve is not None and not all(map(math.isfinite, curve.values)):
                self._broken.add(number)
            self.edition += 1
        self._trials = trials

    def _curve(self, trial: FrozenTrial) -> Curve | None:
        if trial.state is TrialState.WAITING or self._is_of_others(trial):
            return None
        values = tuple(self._sign * value for value in _by_epoch(trial))
        if trial.state is TrialState.COMPLETE:  # perhaps early
            return Curve(trial.number, values, len(values), "over")
        epochs = self._epochs(trial)
        if trial.state.is_finished():
            return Curve(trial.number, values, max(epochs, len(values) + 1), "over")
        state: Literal["paused", "running"] = "paused" if is_paused(trial) else "running"
        return Curve(trial.number, values, max(epochs, len(values)), state)

    def _is_of_others(self, trial: FrozenTrial) -> bool:
        """Whether others ran it: our epochs were not spent on it."""
        return FOLDER not in trial.user_attrs and trial.number in before_ours(self._study)

    def _mended(self, curve: Curve | None) -> Curve | None:
        if curve is None:
            return None
        known = (value for one in self._curves if one is not None for value in one.values)
        worst = min(filter(math.isfinite, known), default=0.0)
        return replace(curve, values=tuple(v if math.isfinite(v) else worst for v in curve.values))


def curves_of(study: Study, epochs: Callable[[FrozenTrial], int]) -> list[Curve]:
    """The curves of a study, looked at once."""
    return CurveBook(study, epochs).read()


def _by_epoch(trial: FrozenTrial) -> Iterator[float]:
    """The value after each epoch from the first to the last; a missing one is the one before."""
    known = trial.intermediate_values
    steps: Sequence[int] = range(1, (trial.last_step or 0) + 1)
    value = math.nan
    for step in steps:
        value = known.get(step, value)
        yield value
