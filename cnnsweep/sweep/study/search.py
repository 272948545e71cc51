"""One study from its first trial to its last: which run comes next, and what became of each."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from optuna.pruners import WilcoxonPruner
from optuna.study import Study
from optuna.trial import FrozenTrial, TrialState

from cnnsweep.sweep.spec.messages import Ended, Epoch, Job
from cnnsweep.sweep.spec.plan import Plan, trial_job
from cnnsweep.sweep.study.ask import FOLDER, Asker
from cnnsweep.sweep.study.confirmation import Confirmation
from cnnsweep.sweep.study.coordination import Coordination
from cnnsweep.sweep.study.pruning import StudyPruner
from cnnsweep.sweep.study.record import DEATHS, Recorder, Unusable, as_values, means
from cnnsweep.sweep.study.trial_results import recorded_objective

MOST_LOSSES = 10  # of a run's worker with its machine, without an epoch between


@dataclass
class Search:
    """Decides; workers run, the ledger records.

    ``search_index`` is its number among the searches of a sweep. ``may_ask`` tells whether the
    sweep's time is not yet up. ``coordination`` is with other launches on the same study; one of
    them alone is told, in the end, that it ``may_confirm``.
    """

    search_index: int
    plan: Plan
    seeds: int
    retries: int
    study: Study
    asker: Asker
    recorder: Recorder
    confirmation: Confirmation
    may_ask: Callable[[], bool]
    coordination: Coordination
    may_confirm: bool
    _ready: deque[Job] = field(default_factory=deque)
    _values: dict[int, list[list[float]]] = field(default_factory=dict)  # of running trials, a seed
    _epochs: dict[str, int] = field(default_factory=dict)  # the last one of each run
    _losses: dict[str, int] = field(default_factory=dict)  # of each run since then

    def __post_init__(self) -> None:
        self._pruner = StudyPruner(self.study) if len(self.plan.objectives) == 1 else None

    def take_up(self) -> int:
        """Queue the trials that an earlier launch left running, under their own numbers.

        Returns how many there are.
        """
        all_left = self.study.get_trials(states=(TrialState.RUNNING,))
        for left in all_left:
            self._take(left)
        return len(all_left)

    def forget(self) -> None:
        """Have no trials any more: others may have taken them over."""
        self._ready.clear()
        self._values.clear()
        self.may_confirm = False
        self.confirmation.forget()

    def next_job(self) -> Job | None:
        """What a free worker should do now; None where there is nothing (yet)."""
        if not self._ready:
            self._seek()
        if self._ready:
            return self._ready.popleft()
        return None if self._values or not self.may_confirm else self.confirmation.next_job()

    def is_done(self) -> bool:
        """Whether nothing waits, runs or is still to come."""
        if (
            self._ready
            or self._values
            or self._may_ask_more()
            or self.coordination.others_run(self.study)
        ):
            return False
        return not self.may_confirm or self.confirmation.is_done()

    def give_back(self, job: Job) -> None:
        """Queue a job whose worker never began it."""
        self._ready.appendleft(job)

    def left(self, job: Job, cause: str) -> None:
        """A run's worker had to go through no fault of the run, which goes on elsewhere."""
        self.recorder.note_departure(job, cause)
        self._ready.appendleft(job)

    def lost(self, job: Job, cause: str) -> None:
        """A run's worker went with its machine: no failure, unless it happens again and again.

        A run whose appetite for memory kills whatever runs it looks just like this.
        """
        self._losses[job.folder] = losses = self._losses.get(job.folder, 0) + 1
        if recorded_objective(self.run_folder(job)) is None and losses < MOST_LOSSES:
            self.left(job, cause)
        else:
            self.died(job, f"{cause} ({losses} times without an epoch between)", retry=False)

    def epoch_ended(self, job: Job, epoch: Epoch) -> bool:
        """Store an epoch's figure; whether the run goes on."""
        self._note_progress(job, epoch.number)
        figure = self.plan.objectives[0]
        if not job.is_prunable or self._pruner is None or epoch.figures.get(figure) is None:
            return True
        value = epoch.figures[figure]
        assert value is not None
        return self._pruner.goes_on(self.recorder.trial(job)._trial_id, epoch.number, float(value))

    def ended(self, job: Job, ended: Ended) -> None:
        """A run is over."""
        with self.coordination.turn():
            if self._is_ours(job):
                self._ended(job, ended)

    def _ended(self, job: Job, ended: Ended) -> None:
        if job.trial is None:
            self.confirmation.ended(job, ended)
        elif ended.status == "completed":
            self._completed(job, ended.value)
        elif ended.status == "pruned":
            del self._values[job.trial]
            self.recorder.prune(job)
        else:
            self._fail(job, str(ended.error), str(ended.cause))

    def died(self, job: Job, cause: str, *, retry: bool) -> None:
        """A run's worker is gone, but not we; ``retry``: a new one may take the run up again."""
        with self.coordination.turn():
            if self._is_ours(job):
                self._died(job, cause, retry)

    def _died(self, job: Job, cause: str, retry: bool) -> None:
        value = recorded_objective(self.run_folder(job))
        if value is not None:
            self._ended(job, Ended("completed", value))
        elif retry and self.recorder.deaths(job) < self.retries:
            self.recorder.count_death(job, cause)
            self._ready.appendleft(job)
        elif job.trial is None:
            self.confirmation.ended(job, Ended("failed", error=cause, cause=cause))
        else:
            self._fail(job, cause, cause)

    def run_folder(self, job: Job) -> Path:
        return self.plan.sweep / job.folder

    def running(self) -> int:
        """How many trials are running."""
        return len(self._values)

    def _note_progress(self, job: Job, epoch: int) -> None:
        if epoch > self._epochs.get(job.folder, 0):  # a run taken up tells its former epochs again
            self._epochs[job.folder] = epoch
            self._losses.pop(job.folder, None)

    def _may_ask_more(self) -> bool:
        trials = self.study.get_trials(deepcopy=False)
        begun = sum(trial.state is not TrialState.WAITING for trial in trials)
        return begun < self.plan.n_trials and not self.recorder.is_exhausted() and self.may_ask()

    def _seek(self) -> None:
        """Take a trial that was left behind, or else propose one."""
        in_hand = self._values.keys()
        if not (self._may_ask_more() or self.coordination.should_look(self.study, in_hand)):
            return
        with self.coordination.turn():
            left = self.coordination.left_behind(self.study, self.plan.folder, in_hand)
            if left is not None:
                self._take(left)
            elif self._may_ask_more():
                trial = self.coordination.claim(self.study, self.asker.ask())
                self._ready.append(self._begin(trial))

    def _take(self, left: FrozenTrial) -> None:
        """Queue a trial that somebody left running."""
        asked = left if FOLDER in left.user_attrs else self.asker.ask_again(left)
        trial = self.coordination.claim(self.study, asked)
        job = self._begin(trial)
        if trial.user_attrs.get(DEATHS, 0) > self.retries:
            self._fail(job, "its process died too often", "died")
        else:
            self._ready.append(job)

    def _is_ours(self, job: Job) -> bool:
        """Whether we say what becomes of a run; forgets a trial that others have taken over."""
        if job.trial is None or self.coordination.is_ours(self.recorder.trial(job)):
            return True
        self._values.pop(job.trial, None)
        return False

    def _begin(self, trial: FrozenTrial) -> Job:
        self._values[trial.number] = []
        return trial_job(self.plan, self.search_index, trial, 0, self.seeds)

    def _completed(self, job: Job, returned: object) -> None:
        assert job.trial is not None
        try:
            values = as_values(returned, len(self.plan.objectives))
        except Unusable as error:
            del self._values[job.trial]
            self.recorder.fail(job, str(error), str(error), anew=True)
            return
        parts = self._values[job.trial]
        parts.append(values)
        if len(parts) < self.seeds and self._is_promising(job, parts):
            trial = self.recorder.trial(job)
            following = trial_job(self.plan, self.search_index, trial, len(parts), self.seeds)
            self._ready.appendleft(following)
            return
        del self._values[job.trial]
        if len(parts) < self.seeds:
            self.recorder.prune(job)
        else:
            self.recorder.complete(job, means(parts))

    def _is_promising(self, job: Job, parts: list[list[float]]) -> bool:
        """Whether a trial is worth another seed; the step is the number of seeds spent.

        Pruners get the mean so far, but for Wilcoxon's, which compares trials seed by seed.
        """
        if self._pruner is None:
            return True
        pairs = isinstance(self.study.pruner, WilcoxonPruner)
        value = parts[-1][0] if pairs else means(parts)[0]
        return self._pruner.goes_on(self.recorder.trial(job)._trial_id, job.seed_index + 1, value)

    def _fail(self, job: Job, error: str, cause: str) -> None:
        assert job.trial is not None
        del self._values[job.trial]
        self.recorder.fail(job, error, cause)
