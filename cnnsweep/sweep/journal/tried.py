"""Which points a study's trials have, and how many trials there are; each trial is read once."""

from collections.abc import Callable
from dataclasses import dataclass, field

from optuna.study import Study
from optuna.trial import FrozenTrial, TrialState

from cnnsweep.sweep.spec.optuna_internals import storage_of, study_id
from cnnsweep.sweep.spec.plan import FOLDER
from cnnsweep.sweep.spec.space.points import identity

_WAITING = (TrialState.WAITING,)


@dataclass
class Tried:
    """The points of a study's trials, whatever became of them, and those tried ``elsewhere``."""

    study: Study
    elsewhere: frozenset[str] = frozenset()
    _settled: int = 0  # trials, from the first on, whose parameters stay as they are
    _points: set[str] = field(default_factory=set)  # of these

    def now(self, but: int | None = None) -> Callable[[str], bool]:
        """Says of a point's identity whether a trial has it by now, the trial ``but`` left out."""
        trials, points = self.study.get_trials(deepcopy=False), self._points
        while self._settled < len(trials) and _is_settled(trials[self._settled]):
            points.add(identity(trials[self._settled].params))
            self._settled += 1
        others = {identity(t.params) for t in trials[self._settled :] if t.number != but}
        elsewhere = self.elsewhere
        return lambda point: point in points or point in others or point in elsewhere


def _is_settled(trial: FrozenTrial) -> bool:
    return FOLDER in trial.user_attrs or trial.state.is_finished()


def number_of_trials(study: Study) -> int:
    """How many trials there are, waiting ones among them."""
    return storage_of(study).get_n_trials(study_id(study))


def number_of_begun(study: Study) -> int:
    """How many trials do not wait any more."""
    return number_of_trials(study) - len(study.get_trials(deepcopy=False, states=_WAITING))
