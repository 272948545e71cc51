"""The study as samplers see it: a paused trial tells what it has reached.

For Optuna a paused trial is running, and nothing is known of running ones. Samplers see it pruned
at its epoch, which TPE learns from; those that look at completed trials alone see it completed
with its best value so far. What they write goes into the study itself.

They also see trials that are not in it, of earlier sweeps, and of those in it that others ran the
ones that are points of the space.
"""

import copy
import math
from collections.abc import Callable, Container, Sequence
from dataclasses import dataclass, field
from functools import partial

from optuna.samplers import BaseGASampler, BaseSampler, CmaEsSampler, GPSampler
from optuna.storages import BaseStorage
from optuna.study import Study, StudyDirection
from optuna.trial import FrozenTrial, TrialState

from cnnsweep.sweep.freeze_thaw.paused import is_paused
from cnnsweep.sweep.journal.storage_view import StorageView
from cnnsweep.sweep.journal.theirs import is_theirs
from cnnsweep.sweep.spec.optuna_internals import as_first_generation, storage_of, with_storage
from cnnsweep.sweep.spec.space.search_space import SearchSpace

_CHANGED = (TrialState.RUNNING, TrialState.COMPLETE, TrialState.PRUNED)  # what is shown as what
BLIND_TO_PRUNED = (GPSampler, CmaEsSampler, BaseGASampler)  # BaseGASampler: NSGA-II and III


Shown = dict[int, tuple[FrozenTrial, FrozenTrial | None]]  # by number, and how they are shown


@dataclass
class Knowledge:
    """What the samplers of one search know beyond the study's own trials; all of one kind.

    ``earlier`` are trials of earlier sweeps, with numbers below 0. ``space`` is the search's, in
    which trials of others must be; None: any trial will do.
    """

    earlier: Sequence[FrozenTrial] = ()
    space: SearchSpace | None = None
    shown: Shown = field(default_factory=dict)  # what was made for an earlier look


def known(study: Study, asked: int | None = None, knowledge: Knowledge | None = None) -> Study:
    """``study`` for its sampler; the trials that it shows are as they are at each look.

    ``asked`` is the number of a trial that is drawn again: it is shown as it was the first time.
    """
    storage = _Known(storage_of(study), study.sampler, asked, knowledge or Knowledge())
    seen = with_storage(study, storage)
    seen.stop = study.stop  # type: ignore[method-assign]  # a sampler may end the search
    return seen


def as_drawn_here(trial: FrozenTrial, space: SearchSpace) -> FrozenTrial | None:
    """A trial of others as if this space had drawn it; None where it never does."""
    if space.why_not(trial.params) is not None or space.absent(trial.params):
        return None
    shown = copy.copy(trial)
    shown.params = space.drawn(trial.params)
    shown.distributions = {name: space.distributions[name] for name in shown.params}
    return shown


class _Known(StorageView):
    """A storage whose paused trials look as if they were over."""

    def __init__(
        self, storage: BaseStorage, sampler: BaseSampler, asked: int | None, knowledge: Knowledge
    ) -> None:
        super().__init__(storage)
        self._sampler = sampler
        self._asked = asked
        self._knowledge = knowledge
        self._completes = isinstance(sampler, BLIND_TO_PRUNED)

    def get_all_trials(
        self,
        study_id: int,
        deepcopy: bool = True,
        states: Container[TrialState] | None = None,
    ) -> list[FrozenTrial]:
        """As a storage's own."""
        if states is not None and all(state not in states for state in _CHANGED):
            return self._storage.get_all_trials(study_id, deepcopy=deepcopy, states=states)
        trials = self._storage.get_all_trials(study_id, deepcopy=False)
        if not self._knowledge.earlier and not any(map(self._is_changed, trials)):
            return self._storage.get_all_trials(study_id, deepcopy=deepcopy, states=states)
        trials = copy.deepcopy(trials) if deepcopy else trials
        direction = self._storage.get_study_directions(study_id)[0]
        shown = [
            *(self._once(t, partial(self._earlier, t, direction)) for t in self._knowledge.earlier),
            *(self._shown(trial, direction) for trial in trials),
        ]
        seen = (trial for trial in shown if trial is not None)
        return [trial for trial in seen if states is None or trial.state in states]

    def _is_changed(self, trial: FrozenTrial) -> bool:
        return trial.number == self._asked or is_paused(trial) or is_theirs(trial)

    def _shown(self, trial: FrozenTrial, direction: StudyDirection) -> FrozenTrial | None:
        """How a trial looks; None: it is not to be seen."""
        if trial.number == self._asked:
            return _undrawn(trial)
        if is_paused(trial) and trial.intermediate_values:
            return self._once(trial, lambda: self._as_over(trial, direction))
        space = self._knowledge.space
        if space is None or not is_theirs(trial):
            return trial
        return self._once(trial, lambda: as_drawn_here(trial, space))

    def _earlier(self, trial: FrozenTrial, direction: StudyDirection) -> FrozenTrial:
        """One of an earlier sweep, of the first generation where the sampler goes by them."""
        is_open = trial.state is TrialState.RUNNING
        seen = self._as_over(trial, direction) if is_open else copy.copy(trial)
        seen.system_attrs = as_first_generation(self._sampler)
        return seen

    def _once(
        self, trial: FrozenTrial, make: Callable[[], FrozenTrial | None]
    ) -> FrozenTrial | None:
        before = self._knowledge.shown.get(trial.number)
        if before is None or before[0] is not trial:
            before = self._knowledge.shown[trial.number] = trial, make()
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
