"""Several jobs in one worker process, whose epochs are trained together.

Each job is an ordinary run in a greenlet of its own: its folder, checkpoints and reports are those
of a run that is alone. It hands over to the hub where its trainer wants an epoch, and where it
waits for an answer to one. The hub trains the epochs of all jobs that want one, those of a family
at once, and then goes on with each job.
"""

import logging
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from multiprocessing.connection import Connection, wait
from typing import Any

from cnnsweep import epoch_reporter
from cnnsweep.process import Terminated, begin_collection
from cnnsweep.sweep.spec.messages import Finished, Job, Note, Started
from cnnsweep.sweep.workers.member import Member, Stop, WantsAnswer, WantsEpoch, WantsTime, at_work
from cnnsweep.sweep.workers.rounds import Rounds, TrainTogether
from cnnsweep.sweep.workers.run_job import Reporter

ANSWER_SECONDS = 1.0  # that those who could train wait for one whose epoch is not answered yet
JOB_SECONDS = 0.5  # that they wait for the next job of a seat that has become free

Work = Callable[[Job, Reporter, Callable[[float], None]], Finished]
"""Runs a job to its end, given where it reports and how it waits for some seconds."""

log = logging.getLogger(__name__)


class _Seat:
    """A connection to the launching process, and the job that came by it."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.member: Member | None = None
        self.expected_until = time.monotonic() + JOB_SECONDS  # something is to come until then

    @property
    def wish(self) -> object:
        return None if self.member is None else self.member.wish

    @property
    def listens(self) -> bool:
        """Whether the launching process has the next word."""
        return self.member is None or isinstance(self.wish, WantsAnswer)


class Hub:
    """Serves the launching process: a job for each of its connections at a time."""

    def __init__(self, connections: Sequence[Connection], work: Work, train: TrainTogether) -> None:
        """``work`` runs a job; ``train`` trains an epoch of several runs of one family."""
        self._seats = [_Seat(connection) for connection in connections]
        self._work = work
        self._stop = Stop()
        self._rounds = Rounds(self._go_on, self._say, train)

    def serve(self) -> None:
        """Run jobs as they come, until None has come by each connection.

        Raises:
            Terminated: by SIGTERM, once each job has kept its last whole epoch.
        """
        epoch_reporter.together = self._epoch
        try:
            while self._seats:
                self._listen()
                self._wake()
                self._rounds.train([s.member for s in self._seats if s.member is not None])
        except Terminated:
            for seat in self._seats:
                if seat.member is not None:
                    with suppress(Terminated):  # as each of them does
                        seat.member.terminate()
            raise

    def _listen(self) -> None:
        """Act on what the launching process sends, for as long as it is worth waiting for."""
        while True:
            seats = {seat.connection: seat for seat in self._seats if seat.listens}
            ready: list[Any] = wait(seats, timeout=self._patience())
            if not ready:
                return
            for connection in ready:
                self._hear(seats[connection])

    def _patience(self) -> float | None:
        """Seconds until there is something else to do; None where there is not."""
        wishes = [seat.wish for seat in self._seats]
        times = [wish.until for wish in wishes if isinstance(wish, WantsTime)]
        if not self._seats or any(isinstance(wish, WantsEpoch) for wish in wishes):
            expected = [seat.expected_until for seat in self._seats if seat.listens]
            times.append(max(expected, default=0.0))
        return max(0.0, min(times) - time.monotonic()) if times else None

    def _hear(self, seat: _Seat) -> None:
        word = seat.connection.recv()
        if seat.member is not None:
            self._go_on(seat.member, word)
        elif isinstance(word, Job):
            seat.connection.send(Started())
            seat.member = Member(word, self._run, self._stop)
            self._go_on(seat.member, None)
        else:
            self._seats.remove(seat)

    def _wake(self) -> None:
        now = time.monotonic()
        for seat in self._seats:
            if seat.member and isinstance(seat.wish, WantsTime) and seat.wish.until <= now:
                self._go_on(seat.member, None)

    def _go_on(self, member: Member, word: object) -> None:
        """Let a member run on, and its seat be free where that ends it."""
        seat = self._seat_of(member)
        member.go_on(word)
        seat.expected_until = time.monotonic() + ANSWER_SECONDS
        if member.finished is not None:
            begin_collection()
            seat.member = None
            seat.expected_until = time.monotonic() + JOB_SECONDS
            seat.connection.send(member.finished)

    def _seat_of(self, member: Member) -> _Seat:
        return next(seat for seat in self._seats if seat.member is member)

    def _say(self, member: Member, line: str) -> None:
        """On the terminal, once in a sweep."""
        self._seat_of(member).connection.send(Note(line))

    def _run(self, member: Member) -> Finished:
        """What a member does, in its greenlet."""
        connection = self._seat_of(member).connection
        reporter = Reporter(
            connection, member.job.is_prunable, hear=lambda: member.ask(WantsAnswer())
        )

        def pause(seconds: float) -> None:
            member.ask(WantsTime(time.monotonic() + seconds))

        return self._work(member.job, reporter, pause)

    def _epoch(self, trainer: Any) -> Any:
        """Have an epoch trained for the member that is at work; see `epoch_reporter.together`."""
        member = at_work()
        if trainer.family.why_alone is not None and not member.trains_alone:
            member.trains_alone = True
            why = trainer.family.why_alone
            log.info("trained by itself, not with others: %s", why)
            self._say(member, f"note: some runs are trained by themselves, not in a stack: {why}")
        passes, number = member.ask(WantsEpoch(trainer))
        trainer.trained_with = max(trainer.trained_with, number)
        return passes
