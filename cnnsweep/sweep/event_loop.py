"""The event loop of a sweep: free workers get jobs, and what workers report is acted on.

A step that meets a storage which is away, or another host at work on the study, is left and made
again later (see :class:`~cnnsweep.sweep.study.coordination.TryLater`). Meanwhile workers go on:
who waits for an answer is told to go on.
"""

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from cnnsweep.errors import StoppedEarly
from cnnsweep.process import raise_again
from cnnsweep.sweep.checkpoints import Checkpoints
from cnnsweep.sweep.progress import SweepProgress
from cnnsweep.sweep.spec.messages import Answer, Epoch, Finished, Job, Message, Note, Reason
from cnnsweep.sweep.study.coordination import TryLater
from cnnsweep.sweep.study.opening.storage_outage import Outage
from cnnsweep.sweep.study.search import Search

TICK_SECONDS = 0.2
FAILED_STARTS = 3  # workers in a row that may end before they begin anything


class JobPool(Protocol):
    """What the loop needs of :class:`~cnnsweep.sweep.workers.pool.Pool`, whose docstrings hold."""

    def free_slots(self) -> list[int]: ...
    def busy_slots(self) -> list[int]: ...
    def job(self, slot: int) -> Job | None: ...
    def seconds(self, slot: int) -> float | None: ...
    def is_alone(self, slot: int) -> bool: ...
    def log(self, slot: int) -> Path: ...
    def give(self, slot: int, job: Job) -> None: ...
    def answer(self, slot: int, answer: Answer) -> None: ...
    def kill(self, slot: int) -> None: ...
    def messages(self, seconds: float) -> Iterator[tuple[int, Job, Message]]: ...


@dataclass
class Received:
    """A message that was not acted on yet; ``is_answered`` where its sender waits for nothing."""

    slot: int
    job: Job
    message: Message
    is_answered: bool


class EventLoop:
    """Runs the jobs of searches on the workers of a pool."""

    def __init__(
        self,
        searches: Sequence[Search],
        pool: JobPool,
        progress: SweepProgress,
        outage: Outage,
        checkpoints: Checkpoints,
        trial_timeout: float | None,
    ) -> None:
        """``trial_timeout``: seconds after which a job's worker is killed; None: never."""
        self._searches = searches
        self._pool = pool
        self._progress = progress
        self._outage = outage
        self._checkpoints = checkpoints
        self._trial_timeout = trial_timeout
        self._inbox: deque[Received] = deque()
        self._failed_starts = 0
        self._notes: set[str] = set()

    def run(self) -> None:
        """Until every search is done.

        Raises:
            StoppedEarly: failures end the sweep, workers cannot start, or the storage stays away.
        """
        while not self.step():
            raise_again()

    def step(self) -> bool:
        """Act on what has come, hand out jobs and wait a moment; whether all is done."""
        try:
            self._end_overdue()
            self._act_on_messages()
            if all(search.is_done() for search in self._searches):
                for search in self._searches:
                    self._checkpoints.drop(search, again=True)
                return True
            self._hand_out()
            self._progress.refresh(self._searches)
        except TryLater as error:
            self._outage.note(error)
            self._let_workers_go_on()
            self._receive(error.pause)
        else:
            self._outage.over()
            self._receive(TICK_SECONDS)
        return False

    def _act_on_messages(self) -> None:
        while self._inbox:
            self._act(self._inbox[0])
            self._inbox.popleft()  # only now: after TryLater it is acted on again

    def _act(self, received: Received) -> None:
        message = received.message
        search = self._searches[received.job.search_index]
        if isinstance(message, Epoch):
            self._progress.epoch_ended(received.slot, message)
            self._answer(received, search.report(received.job, message))
        elif isinstance(message, Note):
            if message.line not in self._notes:
                self._progress.say(message.line)
                self._notes.add(message.line)
        elif isinstance(message, Finished):
            self._watch_starts(received.slot, message)
            search.finished(received.job, message)
            self._checkpoints.drop_one(search, received.job.trial)
            self._progress.over(received.slot)

    def _watch_starts(self, slot: int, message: Finished) -> None:
        """Those of the reasons left out say nothing about whether workers can start."""
        if message.reason == "never_started":
            self._failed_starts += 1
        elif message.reason not in ("preempted", "lost", "shared_death"):
            self._failed_starts = 0
        if self._failed_starts >= FAILED_STARTS:
            log = self._pool.log(slot)
            raise StoppedEarly(f"workers cannot start ({message.error}); see {log}")

    def _hand_out(self) -> None:
        for slot in self._pool.free_slots():
            jobs = (search.next_job() for search in self._searches)
            job = next((job for job in jobs if job is not None), None)
            if job is None:
                return
            self._pool.give(slot, job)
            self._progress.begun(slot, job)

    def _end_overdue(self) -> None:
        """Kill workers whose job took too long; the search is told as of any other end."""
        if self._trial_timeout is None:
            return
        for slot in self._pool.busy_slots():
            job, seconds = self._pool.job(slot), self._pool.seconds(slot)
            if job is not None and seconds is not None and seconds > self._trial_timeout:
                # Of several jobs in one process any may be the one that hangs.
                reason: Reason = "timeout" if self._pool.is_alone(slot) else "shared_death"
                self._pool.kill(slot)
                error = f"timed out: hydra.sweeper.trial_timeout={self._trial_timeout:g} s"
                others = (one for one in self._inbox if (one.slot, one.job) != (slot, job))
                ended = Received(slot, job, Finished(reason, error=error), is_answered=True)
                self._inbox = deque([*others, ended])

    def _answer(self, received: Received, answer: Answer) -> None:
        """Once; a slot that has another job by now, or none, waits for nothing."""
        if not received.is_answered and self._pool.job(received.slot) == received.job:
            self._pool.answer(received.slot, answer)
        received.is_answered = True

    def _let_workers_go_on(self) -> None:
        for received in self._inbox:
            self._answer(received, "go_on")

    def _receive(self, seconds: float) -> None:
        for slot, job, message in list(self._pool.messages(seconds)):
            waits = isinstance(message, Epoch) and job.is_prunable
            self._inbox.append(Received(slot, job, message, is_answered=not waits))
