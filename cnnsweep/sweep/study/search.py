"""One study from its first trial to its last: which run comes next, and what became of each."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from optuna.study import Study
from optuna.trial import FrozenTrial

from cnnsweep.sweep.spec.jobs import trial_job
from cnnsweep.sweep.spec.messages import Answer, Epoch, Finished, Job, Reason
from cnnsweep.sweep.spec.objectives import means
from cnnsweep.sweep.spec.plan import FOLDER, Plan
from cnnsweep.sweep.study.ask import TrialSource
from cnnsweep.sweep.study.confirmation import Confirmation
from cnnsweep.sweep.study.coordination import Coordination, not_in_hand
from cnnsweep.sweep.study.intake import Intake
from cnnsweep.sweep.study.retries import HeldRuns, Retries
from cnnsweep.sweep.study.tell import Recorder
from cnnsweep.sweep.study.unreported import Unreported


@dataclass
class Search:
    """Decides; workers run, the recorder writes down.

    ``search_index`` is its number among the searches of a sweep. ``time_left`` are the seconds in
    which trials may be begun, infinity where there is no end. ``coordination`` is with other
    launches on the same study; one of them alone is told, in the end, that it ``may_confirm``.

    Every method that reaches the study may raise TryLater and is then called again: it changes
    memory last, and writes once. The life of a trial is drawn in docs/architecture.md.
    """

    search_index: int
    plan: Plan
    seeds: int
    retries: Retries
    study: Study
    asker: TrialSource
    recorder: Recorder
    confirmation: Confirmation
    time_left: Callable[[], float]
    coordination: Coordination
    may_confirm: bool
    _ready: deque[Job] = field(default_factory=deque)
    _values: dict[int, list[list[float]]] = field(default_factory=dict)  # of our trials, a seed

    def __post_init__(self) -> None:
        self._held = HeldRuns(self.plan.sweep, self.recorder.say)
        self._unreported = Unreported(self.plan, self.study, self.recorder.say)
        self._intake = Intake(
            self.study, self.plan, self.seeds, self.asker, self.coordination, self.time_left
        )
        self._scheduler = self._intake.scheduler

    def resume_trials(self) -> int:
        """Queue what an earlier launch left running, under its own numbers; how many trials."""
        running = list(not_in_hand(self.study, ()))
        for trial in running:
            if trial.number not in self._values:
                self._take(self._intake.again(trial))
        return len(running)

    def forget(self) -> None:
        """Have no trials any more: others may have taken them over."""
        self._ready.clear()
        self._held.forget()
        for number in list(self._values):
            self._let_go(number)
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
        return self._intake.counts()

    def is_done(self) -> bool:
        """Whether nothing waits, runs or is still to come."""
        if self._ready or self._held or self._values or self._intake.has_more():
            return False
        if next(not_in_hand(self.study, ()), None) is not None:  # others', or ours by a lost answer
            return False
        return not self.may_confirm or self.confirmation.is_done()

    def report(self, job: Job, epoch: Epoch) -> Answer:
        """Store an epoch's metric; whether the run goes on."""
        self.retries.epoch_ended(job, epoch.number)
        value = epoch.metrics.get(self.plan.objectives[0])
        self._unreported.look(job, epoch)
        if not job.is_prunable or job.trial is None or value is None:
            return "go_on"
        return self._scheduler.report(job, epoch.number, float(value), is_known=epoch.is_known)

    def finished(self, job: Job, message: Finished) -> None:
        """Act on the end of a job, by its reason.

        Raises:
            StoppedEarly: this failure ends the sweep.
        """
        _QUEUED_AGAIN.get(message.reason, Search._tell)(self, job, message)

    def _preempted(self, job: Job, message: Finished) -> None:
        """Through no fault of the run, which continues on another worker."""
        self.recorder.note_departure(job, str(message.error))
        self._ready.appendleft(job)

    def _died_with_others(self, job: Job, message: Finished) -> None:
        """Any of them may have been the reason, so it is run alone, and nothing is counted."""
        error = f"{message.error}, with other runs in it, so each is alone from now on"
        self._preempted(replace(job, is_alone=True), replace(message, error=error))

    def _lost(self, job: Job, message: Finished) -> None:
        """As preempted, unless it happens again and again.

        A run whose appetite for memory kills whatever runs it looks just like this.
        """
        if self.recorder.recorded_end(job) is None and self.retries.may_be_lost(job):
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
                self._let_go(job.trial)

    def _let_go(self, number: int) -> None:
        self._values.pop(number, None)
        self._scheduler.forget(number)

    def _tell_confirmation(self, job: Job, message: Finished) -> None:
        if not message.is_others_folder and self.recorder.recorded_end(job) is not None:
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
        elif message.reason == "paused":
            is_over = self._pause(job)
        elif message.reason != "failed" and (end := self.recorder.recorded_end(job)) is not None:
            is_over = self._complete(job, end.value)  # it was done when its worker ended
        elif message.reason == "died" and self._retry(job, message):
            is_over = False
        else:
            self.recorder.fail(job, message)
        if is_over:
            self._let_go(job.trial)

    def _retry(self, job: Job, message: Finished) -> bool:
        """Queue a run whose worker died, where it may be tried again."""
        if may := self.retries.count_death(job, message):
            self._ready.appendleft(replace(job, is_alone=True))
        return may

    def _pause(self, job: Job) -> bool:
        """A run was paused; whether its trial is, or another of its seeds is to train."""
        assert job.trial is not None
        trial = self.recorder.trial(job)
        if self.recorder.has_other_data(job):
            return True
        if (seed := self._scheduler.next_seed(job.trial)) is None:
            self.recorder.pause(job)
            return True
        self._ready.appendleft(self._job(trial, seed))
        return False

    def _complete(self, job: Job, returned: object) -> bool:
        """A run returned its objectives; whether its trial is over, or has another seed to run."""
        assert job.trial is not None
        if (values := self.recorder.values(job, returned)) is None:
            return True
        self._scheduler.run_completed(job)
        parts = self._values[job.trial][: job.seed_index]
        if len(parts) == job.seed_index:  # else an earlier seed is yet to be completed
            parts = [*parts, values]
        if len(parts) == self.seeds:
            self.recorder.complete(job, means(parts))
            return True
        if self._scheduler.is_losing(job.trial, parts):
            self.recorder.prune(job)
            return True
        following = self._job(self.recorder.trial(job), len(parts))
        self._values[job.trial] = parts
        self._ready.appendleft(following)
        return False

    def _seek(self) -> None:
        in_hand = self._values.keys()
        if not self._intake.is_worth_a_turn(in_hand):
            return
        with self.coordination.turn():
            if (found := self._intake.find(in_hand)) is not None:
                self._take(found)

    def _take(self, asked: FrozenTrial) -> None:
        """Work on a trial, or tell it failed where it killed too often; in our turn."""
        if FOLDER not in asked.user_attrs:
            self.recorder.exhaust(asked.number)
            return
        trial = self.coordination.claim(self.study, asked)
        if self.retries.are_spent(trial):
            message = Finished("died", error="its process died too often", cause="died")
            self.recorder.fail(self._job(trial, 0), message)
            return
        self._scheduler.begin(trial.number, self.recorder.thaw(trial))
        self._values[trial.number] = []
        self._ready.append(self._job(trial, 0))

    def _job(self, trial: FrozenTrial, seed_index: int) -> Job:
        asks = self._scheduler.asks_each_epoch
        return trial_job(self.plan, self.search_index, trial, seed_index, self.seeds, asks)


# All others are told.
_QUEUED_AGAIN: dict[Reason, Callable[[Search, Job, Finished], None]] = {
    "preempted": Search._preempted,
    "lost": Search._lost,
    "held": Search._wait,
    "shared_death": Search._died_with_others,
    "never_started": lambda search, job, _message: search._ready.appendleft(job),
}
