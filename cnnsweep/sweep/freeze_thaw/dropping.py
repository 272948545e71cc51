"""Ending paused trials that will not go on."""

from collections.abc import Callable
from typing import Protocol

from optuna.study import Study
from optuna.trial import FrozenTrial, TrialState

from cnnsweep.sweep.freeze_thaw.paused import is_paused


class Dropper(Protocol):
    """Ends a trial in its folder and in the study."""

    def drop(self, trial: FrozenTrial, *, why: str) -> None: ...


class InStudyAlone:
    """Ends trials in a study that is but a copy: their folders stay as they are."""

    def __init__(self, study: Study) -> None:
        self._study = study

    def drop(self, trial: FrozenTrial, *, why: str) -> None:  # noqa: ARG002
        self._study.tell(trial.number, state=TrialState.PRUNED)


def drop_paused(
    study: Study, recorder: Dropper, is_gone: Callable[[FrozenTrial], bool], why: str
) -> None:
    """End paused trials for good; in our turn."""
    for trial in filter(is_paused, study.get_trials(deepcopy=False)):
        if is_gone(trial):
            recorder.drop(trial, why=why)
