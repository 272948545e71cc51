"""Trials of a study that cnnsweep did not run: they stay as they are, and are never its winner."""

from collections.abc import Container
from typing import cast

from optuna.study import Study
from optuna.trial import FrozenTrial, TrialState

from cnnsweep.sweep.journal.storage_view import StorageView
from cnnsweep.sweep.spec.optuna_internals import storage_of, study_attributes, with_storage
from cnnsweep.sweep.spec.plan import FOLDER

THEIRS = "trials of others"  # the study attribute: numbers of those that were there before ours
ERROR = "error"  # a trial's: our line on why it failed


def is_theirs(trial: FrozenTrial) -> bool:
    """Whether others ran a trial that is over: ours have a folder, or our line on their failure."""
    attributes = trial.user_attrs
    return trial.state.is_finished() and FOLDER not in attributes and ERROR not in attributes


def before_ours(study: Study) -> Container[int]:
    """The numbers of trials that others had begun, or run, when the study became ours."""
    return cast(Container[int], study_attributes(study).get(THEIRS, ()))


def compared_with(study: Study) -> Study:
    """The study whose curves pruners compare: of one that others began, only our trials.

    Nobody knows what a step of theirs was.
    """
    return ours(study) if THEIRS in study_attributes(study) else study


def ours(study: Study) -> Study:
    """The study, to be read only, without the trials of others that are over."""
    if not any(map(is_theirs, study.get_trials(deepcopy=False))):
        return study
    return with_storage(study, _Ours(storage_of(study)))


class _Ours(StorageView):
    """A storage that does not show trials of others."""

    def get_all_trials(
        self,
        study_id: int,
        deepcopy: bool = True,
        states: Container[TrialState] | None = None,
    ) -> list[FrozenTrial]:
        """As a storage's own."""
        found = self._storage.get_all_trials(study_id, deepcopy=deepcopy, states=states)
        return [trial for trial in found if not is_theirs(trial)]
