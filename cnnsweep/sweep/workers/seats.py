"""A worker process that has several jobs at a time, as the launching process sees it."""

from pathlib import Path
from typing import Any

from cnnsweep.sweep.machine.gpus import Gpu
from cnnsweep.sweep.spec.messages import Finished, Reason
from cnnsweep.sweep.workers.local_worker import (
    DEATH_SECONDS,
    WorkerHandle,
    cause_of_death,
    size_of,
    start_process,
)


class SeatedProcess:
    """A process on this machine with a seat for each job that it can have at a time."""

    def __init__(self, setup: bytes, log: Path, gpu: Gpu, seats: int) -> None:
        """``setup`` is the pickled Setup."""
        self._log, self._log_began = log, size_of(log)
        self._child = start_process(setup, log, gpu, seats)
        self.seats = [Seat(self, connection, log) for connection in self._child.connections]
        self._cause: str | None = None  # how it ended, in words, once it has
        self._suspects: list[Seat] | None = None  # once it has ended
        self._is_asked = False

    @property
    def is_over(self) -> bool:
        """Whether it has ended, and everything of it but its seats' connections is cleaned up."""
        return self._cause is not None

    def is_gone(self) -> bool:
        """Whether it has ended."""
        return self._child.process.poll() is not None

    def ask_to_stop(self) -> None:
        """Tell it, once, to save each job's last whole epoch and end."""
        if not self._is_asked:
            self._is_asked = True
            self._child.process.terminate()

    def end(self, grace: float, cause: str | None = None) -> str:
        """Wait ``grace`` seconds for its end, then end it; calling this again is harmless.

        Returns ``cause``, or else how it ended, in words.
        """
        if self._cause is None:
            self._suspects = self.suspects()
            self._child.end(grace)
            self._cause = cause or cause_of_death(self._child, self._log, self._log_began)
        return self._cause

    def suspects(self) -> "list[Seat]":
        """The seats whose jobs may be the reason for its end; before that, what they would be.

        Those whose jobs had begun. Where none had, it cannot begin, which one job tells of.
        """
        if self._suspects is not None:
            return self._suspects
        busy = [seat for seat in self.seats if seat.job is not None]
        return [seat for seat in busy if seat.started_at is not None] or busy[:1]


class Seat(WorkerHandle):
    """One seat; whatever ends its process ends the jobs of the others, too."""

    def __init__(self, process: SeatedProcess, connection: Any, log: Path) -> None:
        super().__init__(connection, log)
        self._process = process

    @property
    def is_alone(self) -> bool:
        return self._process.suspects() == [self]

    def is_gone(self) -> bool:
        return self._process.is_gone()

    def death(self) -> Finished:
        cause = self._process.end(DEATH_SECONDS)
        self.connection.close()
        if self.is_alone:
            reason: Reason = "never_started" if self.started_at is None else "died"
            return Finished(reason, error=cause, log=str(self.log))
        return Finished("shared_death", error=cause, log=str(self.log))

    def ask_to_stop(self) -> None:
        self._process.ask_to_stop()

    def kill(self) -> None:
        """End the process, and so the jobs of the other seats."""
        self._process.end(0.0, "its process was ended, since a run in it took too long")
        self.connection.close()

    def close(self, grace: float) -> None:
        self._process.end(grace)
        self.connection.close()
