"""The study as samplers see it: a paused trial tells what it has reached.

For Optuna a paused trial is running, and nothing is known of running ones. Samplers see it pruned
at its epoch, which TPE learns from; those that look at completed trials alone see it completed
with its best value so far. What they write goes into the study itself.
"""

import copy
import math
from collections.abc import Container
from typing import Any

from optuna.samplers import BaseGASampler, BaseSampler, CmaEsSampler, GPSampler
from optuna.storages import BaseStorage
from optuna.study import Study, StudyDirection
from optuna.trial import FrozenTrial, TrialState

from cnnsweep.sweep.freeze_thaw.paused import is_paused
from cnnsweep.sweep.spec.optuna_internals import storage_of, with_storage

_RUNNING = (TrialState.RUNNING,)
_CHANGED = (TrialState.RUNNING, TrialState.COMPLETE, TrialState.PRUNED)  # what is shown as what
BLIND_TO_PRUNED = (GPSampler, CmaEsSampler, BaseGASampler)  # BaseGASampler: NSGA-II and III


Shown = dict[int, tuple[FrozenTrial, FrozenTrial]]  # trials, by number, and how they are shown


def known(study: Study, asked: int | None = None, shown: Shown | None = None) -> Study:
    """``study`` for its sampler; the trials that it shows are as they are at each look.

    ``asked`` is the number of a trial that is drawn again: it is shown as it was the first time.
    ``shown`` keeps what was made for an earlier look by a sampler of the same kind.
    """
    kept = {} if shown is None else shown
    seen = with_storage(study, _Known(storage_of(study), study.sampler, asked, kept))
    seen.stop = study.stop  # type: ignore[method-assign]  # a sampler may end the search
    return seen


class _Known:
    """A storage whose paused trials look as if they were over."""

    def __init__(
        self, storage: BaseStorage, sampler: BaseSampler, asked: int | None, kept: Shown
    ) -> None:
        self._storage = storage
        self._kept = kept
        self._asked = asked
        self._completes = isinstance(sampler, BLIND_TO_PRUNED)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._storage, name)

    def get_all_trials(
        self,
        study_id: int,
        deepcopy: bool = True,
        states: Container[TrialState] | None = None,
    ) -> list[FrozenTrial]:
        """As a storage's own."""
        if states is not None and all(state not in states for state in _CHANGED):
            return self._storage.get_all_trials(study_id, deepcopy=deepcopy, states=states)
        running = self._storage.get_all_trials(study_id, deepcopy=False, states=_RUNNING)
        changed = {t.number for t in running if t.number == self._asked or is_paused(t)}
        if not changed:
            return self._storage.get_all_trials(study_id, deepcopy=deepcopy, states=states)
        trials = self._storage.get_all_trials(study_id, deepcopy=deepcopy)
        direction = self._storage.get_study_directions(study_id)[0]
        shown = (self._shown(t, direction) if t.number in changed else t for t in trials)
        return [trial for trial in shown if states is None or trial.state in states]

    def _shown(self, trial: FrozenTrial, direction: StudyDirection) -> FrozenTrial:
        if trial.number == self._asked:
            return _undrawn(trial)
        if not is_paused(trial) or not trial.intermediate_values:
            return trial
        before = self._kept.get(trial.number)
        if before is None or before[0] is not trial:
            before = self._kept[trial.number] = trial, self._as_over(trial, direction)
        return before[1]

    def _as_over(self, trial: FrozenTrial, direction: StudyDirection) -> FrozenTrial:
        shown = copy.copy(trial)  # the storage's own is not to change
        values = [v for _, v in sorted(trial.intermediate_values.items()) if not math.isnan(v)]
        best = max if direction is StudyDirection.MAXIMIZE else min
        if self._completes and values:
            shown.state, shown.value = TrialState.COMPLETE, best(values)
        else:
            shown.state, shown.value = TrialState.PRUNED, values[-1] if values else None
        shown.datetime_complete = trial.datetime_start
        return shown


def _undrawn(trial: FrozenTrial) -> FrozenTrial:
    """A trial without its parameters, and without what its sampler wrote on them.

    GPSampler takes those of any running trial for another worker's.
    """
    undrawn = copy.copy(trial)
    undrawn.params, undrawn.distributions = {}, {}
    undrawn.system_attrs = {k: v for k, v in trial.system_attrs.items() if k == "fixed_params"}
    return undrawn
