"""Whether and when a run whose worker ended is run again."""

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from optuna.trial import FrozenTrial

from cnnsweep.folders import lock
from cnnsweep.sweep.spec.messages import Finished, Job
from cnnsweep.sweep.study.tell import DEATHS, Recorder

HELD_SECONDS = 5.0  # until a run whose folder another process keeps is tried again
GIVEN_UP_SECONDS = 45.0  # after which a worker that was lost never acts again, even if it wakes
MOST_LOSSES = 10  # of a run's worker with its machine, without an epoch between


@dataclass
class Retries:
    """Deaths are stored in the study, losses only counted; ``allowed`` is the number of retries."""

    recorder: Recorder
    allowed: int
    _epochs: dict[str, int] = field(default_factory=dict)  # the last one of each run
    _losses: dict[str, int] = field(default_factory=dict)  # of each run since then
    _deaths: dict[str, int] = field(default_factory=dict)  # of each run, about to be stored

    def forget(self) -> None:
        """Forget deaths that were not stored: the trials may be another host's."""
        self._deaths.clear()

    def epoch_ended(self, job: Job, number: int) -> None:
        """A new epoch ends a row of losses; a resumed run reports its former epochs too."""
        if number > self._epochs.get(job.folder, 0):
            self._epochs[job.folder] = number
            self._losses.pop(job.folder, None)

    def may_be_lost(self, job: Job) -> bool:
        """Whether a run may lose its worker once more without being told failed."""
        return self._losses.get(job.folder, 0) + 1 < MOST_LOSSES

    def loss_error(self, job: Job, message: Finished) -> str:
        """Why a run that was lost too often is told failed."""
        times = self._losses.get(job.folder, 0) + 1
        return f"{message.error} ({times} times without an epoch between)"

    def count_loss(self, job: Job) -> None:
        """Called when a loss has been handled, so that one handled again counts once."""
        self._losses[job.folder] = self._losses.get(job.folder, 0) + 1

    def count_death(self, job: Job, message: Finished) -> bool:
        """Whether a run is tried again after a death, which is then stored; may be called again."""
        deaths = self._deaths.setdefault(job.folder, self.recorder.deaths(job) + 1)
        may = deaths <= self.allowed
        if may:
            self.recorder.count_death(job, deaths, str(message.error))
        self._deaths.pop(job.folder)
        return may

    def are_spent(self, trial: FrozenTrial) -> bool:
        """Whether a trial that was left running has died too often to be resumed."""
        return bool(trial.user_attrs.get(DEATHS, 0) > self.allowed)


@dataclass
class HeldRuns:
    """Runs whose folders other processes keep. They wait, and other runs go first.

    A worker that was given up may be stopped and keep a lock for ever. It is killed the moment it
    wakes (see cluster/heartbeat_file.py), so its lock is taken from it.
    """

    sweep: Path
    say: Callable[[str], None]
    _jobs: deque[tuple[float, Job]] = field(default_factory=deque)  # and since when each waits
    _given_up: dict[str, tuple[float, str]] = field(default_factory=dict)  # by folder; its holder
    _said: set[str] = field(default_factory=set)

    def __bool__(self) -> bool:
        return bool(self._jobs)

    def forget(self) -> None:
        """Have no runs any more."""
        self._jobs.clear()

    def give_up(self, job: Job) -> None:
        """The job's worker was lost."""
        self._given_up[job.folder] = time.monotonic(), lock.holder(self.sweep / job.folder)

    def add(self, job: Job, error: str) -> None:
        """Another process keeps the job's folder."""
        self._jobs.append((time.monotonic(), job))
        if error not in self._said:
            self._said.add(error)
            self.say(f"{error}; this run waits until then, and others go first")

    def next_due(self) -> Job | None:
        """A run that has waited for long enough to be tried again."""
        now = time.monotonic()
        if not self._jobs or now - self._jobs[0][0] < HELD_SECONDS:
            return None
        _, job = self._jobs.popleft()
        since, name = self._given_up.get(job.folder, (now, ""))
        folder = self.sweep / job.folder
        if now - since >= GIVEN_UP_SECONDS and lock.holder(folder) == name:
            lock.take_from_the_dead(folder)
        return job
