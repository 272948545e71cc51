"""One study from its first trial to its last: which run comes next, and what became of each."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from optuna.study import Study
from optuna.trial import FrozenTrial, TrialState

from cnnsweep.sweep.spec.jobs import trial_job
from cnnsweep.sweep.spec.messages import Epoch, Finished, Job, Reason
from cnnsweep.sweep.spec.plan import FOLDER, Plan
from cnnsweep.sweep.study.ask import TrialSource
from cnnsweep.sweep.study.confirmation import Confirmation
from cnnsweep.sweep.study.coordination import Coordination
from cnnsweep.sweep.study.pruning import StudyPruner
from cnnsweep.sweep.study.retries import HeldRuns, Retries
from cnnsweep.sweep.study.tell import Recorder, Unusable, as_values, means
from cnnsweep.sweep.study.trial_results import recorded_end


@dataclass
class Search:
    """Decides; workers run, the recorder writes down.

    ``search_index`` is its number among the searches of a sweep. ``may_ask`` tells whether the
    sweep's time is not yet up. ``coordination`` is with other launches on the same study; one of
    them alone is told, in the end, that it ``may_confirm``.

    Every method that reaches the study may raise TryLater and is then called again: what it keeps
    in memory it changes last, and what it writes it writes once however often it is called. The
    life of a trial is drawn in docs/architecture.md.
    """

    search_index: int
    plan: Plan
    seeds: int
    retries: Retries
    study: Study
    asker: TrialSource
    recorder: Recorder
    confirmation: Confirmation
    may_ask: Callable[[], bool]
    coordination: Coordination
    may_confirm: bool
    _ready: deque[Job] = field(default_factory=deque)
    _values: dict[int, list[list[float]]] = field(default_factory=dict)  # of our trials, a seed

    def __post_init__(self) -> None:
        self._held = HeldRuns(self.plan.sweep, self.recorder.say)
        self._pruner = StudyPruner(self.study) if len(self.plan.objectives) == 1 else None

    def resume_trials(self) -> int:
        """Queue the trials that an earlier launch left running, under their own numbers.

        Returns how many there are.
        """
        running = self.study.get_trials(states=(TrialState.RUNNING,))
        for trial in running:
            if trial.number not in self._values:
                self._resume(trial)
        return len(running)

    def forget(self) -> None:
        """Have no trials any more: others may have taken them over."""
        self._ready.clear()
        self._held.forget()
        self._values.clear()
        self.retries.forget()
        self.may_confirm = False
        self.confirmation.forget()

    def next_job(self) -> Job | None:
        """What a free worker should do now; None where there is nothing (yet)."""
        if not self._ready:
            self._seek()
        if self._ready:
            return self._ready.popleft()
        if (held := self._held.next_due()) is not None:
            return held
        return None if self._values or not self.may_confirm else self.confirmation.next_job()

    def counts(self) -> dict[str, int]:
        """How many trials became what, and how many there will be."""
        states = [trial.state for trial in self.study.get_trials(deepcopy=False)]
        counted = {word: states.count(state) for word, state in _STATES.items()}
        return counted | {"of": self.asker.trials_in_all()}

    def is_done(self) -> bool:
        """Whether nothing waits, runs or is still to come."""
        if self._ready or self._held or self._values or self._may_ask_more():
            return False
        if self.coordination.others_run(self.study):
            return False
        return not self.may_confirm or self.confirmation.is_done()

    def report(self, job: Job, epoch: Epoch) -> bool:
        """Store an epoch's metric; whether to prune the trial."""
        self.retries.epoch_ended(job, epoch.number)
        value = epoch.metrics.get(self.plan.objectives[0])
        if not job.is_prunable or job.trial is None or self._pruner is None or value is None:
            return False
        return self._pruner.should_prune(job.trial, epoch.number, float(value))

    def finished(self, job: Job, message: Finished) -> None:
        """Act on the end of a job, by its reason.

        Raises:
            StoppedEarly: this failure ends the sweep.
        """
        _ON_FINISHED[message.reason](self, job, message)

    def _preempted(self, job: Job, message: Finished) -> None:
        """Through no fault of the run, which continues on another worker."""
        self.recorder.note_departure(job, str(message.error))
        self._ready.appendleft(job)

    def _lost(self, job: Job, message: Finished) -> None:
        """As preempted, unless it happens again and again.

        A run whose appetite for memory kills whatever runs it looks just like this.
        """
        if self._recorded(job) is None and self.retries.may_be_lost(job):
            self._held.give_up(job)
            self._preempted(job, message)
        else:
            self._tell(job, Finished("lost", error=self.retries.loss_error(job, message)))
        self.retries.count_loss(job)

    def _wait(self, job: Job, message: Finished) -> None:
        self._held.add(job, str(message.error))

    def _tell(self, job: Job, message: Finished) -> None:
        """Say what became of a run, unless another host has its trial by now."""
        with self.coordination.turn():
            if job.trial is None:
                self._tell_confirmation(job, message)
            elif self.coordination.is_ours(self.recorder.trial(job)):
                self._tell_trial(job, message)
            else:
                self._values.pop(job.trial, None)

    def _tell_confirmation(self, job: Job, message: Finished) -> None:
        if self._recorded(job) is not None:
            message = Finished("completed")
        elif message.reason == "died" and self._retry(job, message):
            return
        self.confirmation.finished(job, message)

    def _tell_trial(self, job: Job, message: Finished) -> None:
        assert job.trial is not None
        is_over = True
        if message.reason == "completed":
            is_over = self._complete(job, message.value)
        elif message.reason == "pruned":
            self.recorder.prune(job)
        elif message.reason != "failed" and (recorded := self._recorded(job)) is not None:
            is_over = self._complete(job, recorded.value)  # it was done when its worker ended
        elif message.reason == "died" and self._retry(job, message):
            is_over = False
        else:
            error = str(message.error)
            self.recorder.fail(job, error, message.cause or error)
        if is_over:
            self._values.pop(job.trial, None)

    def _retry(self, job: Job, message: Finished) -> bool:
        """Queue a run whose worker died, where it may be tried again."""
        may = self.retries.count_death(job, message)
        if may:
            self._ready.appendleft(job)
        return may

    def _complete(self, job: Job, returned: object) -> bool:
        """A run returned its objectives; whether its trial is over, or has another seed to run."""
        assert job.trial is not None
        if (other := self.recorder.other_data(job)) is not None:  # not to be compared
            self.recorder.fail(job, other, "other data", anew=True)
            return True
        try:
            values = as_values(returned, len(self.plan.objectives))
        except Unusable as error:
            self.recorder.fail(job, str(error), str(error), anew=True)
            return True
        parts = [*self._values[job.trial][: job.seed_index], values]
        if len(parts) == self.seeds:
            self.recorder.complete(job, means(parts))
            return True
        if self._pruner is not None and self._pruner.is_losing(job.trial, parts):
            self.recorder.prune(job)
            return True
        following = self._job(self.recorder.trial(job), len(parts))
        self._values[job.trial] = parts
        self._ready.appendleft(following)
        return False

    def _recorded(self, job: Job) -> Finished | None:
        return recorded_end(self.plan.sweep / job.folder)

    def _may_ask_more(self) -> bool:
        return not self.asker.has_all_trials() and self.may_ask()

    def _seek(self) -> None:
        """Take a trial that was left behind, or else ask for one."""
        in_hand = self._values.keys()
        if not (self._may_ask_more() or self.coordination.should_look(self.study, in_hand)):
            return
        with self.coordination.turn():
            left = self.coordination.left_behind(self.study, self.plan.folder, in_hand)
            if left is not None:
                self._resume(left)
            elif self._may_ask_more():
                self._take(self.asker.ask())

    def _resume(self, left: FrozenTrial) -> None:
        """Queue a trial that somebody left running, or tell it failed where it killed too often."""
        self._take(left if FOLDER in left.user_attrs else self.asker.ask_again(left))

    def _take(self, asked: FrozenTrial) -> None:
        if FOLDER not in asked.user_attrs:
            self.recorder.exhaust(asked.number)
            return
        trial = self.coordination.claim(self.study, asked)
        if self.retries.are_spent(trial):
            self.recorder.fail(self._job(trial, 0), "its process died too often", "died")
            return
        self._values[trial.number] = []
        self._ready.append(self._job(trial, 0))

    def _job(self, trial: FrozenTrial, seed_index: int) -> Job:
        return trial_job(self.plan, self.search_index, trial, seed_index, self.seeds)


_STATES = {
    "done": TrialState.COMPLETE,
    "pruned": TrialState.PRUNED,
    "failed": TrialState.FAIL,
    "running": TrialState.RUNNING,
}
_ON_FINISHED: dict[Reason, Callable[[Search, Job, Finished], None]] = {
    "completed": Search._tell,
    "pruned": Search._tell,
    "failed": Search._tell,
    "died": Search._tell,
    "timeout": Search._tell,
    "preempted": Search._preempted,
    "lost": Search._lost,
    "held": Search._wait,
    "never_started": lambda search, job, _message: search._ready.appendleft(job),
}
