"""The journal's trials, listed as they change rather than anew at each look.

Optuna's storage goes through all trials to list them, or those of a state, and a search looks a
dozen times a trial. So does its study: what a trial costs would grow with their number.
"""

from collections.abc import Container, Iterator
from contextlib import contextmanager
from copy import deepcopy as copied

from optuna.storages import JournalStorage
from optuna.trial import FrozenTrial, TrialState

from cnnsweep.sweep.journal.file import WholeLines
from cnnsweep.sweep.journal.scratch import ScratchLines

_OVER = tuple(state for state in TrialState if state.is_finished())


class KeptTrials(JournalStorage):
    """Optuna's storage of a journal, whose answers are the same and as fresh."""

    def __init__(self, file: WholeLines | ScratchLines) -> None:
        self._file = file
        self._listed: dict[int, list[FrozenTrial]] = {}  # by study, in the order of their numbers
        self._open: dict[int, dict[int, FrozenTrial]] = {}  # by study and number: not over yet
        super().__init__(file)

    @contextmanager
    def together(self) -> Iterator[None]:
        """What is written in the block goes to the disk at its end, see WholeLines."""
        with self._file.together():
            yield

    def get_all_trials(
        self,
        study_id: int,
        deepcopy: bool = True,
        states: Container[TrialState] | None = None,
    ) -> list[FrozenTrial]:
        with self._thread_lock:
            self._sync_with_backend()
            self._take_up(study_id)
            found = self._of_states(study_id, states)
            return copied(found) if deepcopy else found

    def _of_states(self, study_id: int, states: Container[TrialState] | None) -> list[FrozenTrial]:
        if states is None:
            return list(self._listed[study_id])
        if any(state in states for state in _OVER):
            return [trial for trial in self._listed[study_id] if trial.state in states]
        return [trial for _, trial in sorted(self._open[study_id].items()) if trial.state in states]

    def _take_up(self, study_id: int) -> None:
        """What has changed since the last look at any study, and this study's new trials."""
        read = self._replay_result
        read.get_study(study_id)  # KeyError where there is none
        for trial_id in self._file.changed:
            if (trial := read._trials.get(trial_id)) is not None:
                self._put(read._trial_id_to_study_id[trial_id], trial)
        self._file.changed.clear()
        trials = self._listed.setdefault(study_id, [])
        self._open.setdefault(study_id, {})
        for trial_id in read._study_id_to_trial_ids[study_id][len(trials) :]:
            trials.append(read.get_trial(trial_id))
            self._put(study_id, trials[-1])

    def _put(self, study_id: int, trial: FrozenTrial) -> None:
        trials = self._listed.get(study_id, [])
        if trial.number >= len(trials):  # not listed yet
            return
        trials[trial.number] = trial
        if trial.state.is_finished():
            self._open[study_id].pop(trial.number, None)
        else:
            self._open[study_id][trial.number] = trial
