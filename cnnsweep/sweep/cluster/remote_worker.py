"""A worker that a launcher brought, as the launching process sees it: a connection to its nanny."""

import contextlib
import time
from typing import Any

from cnnsweep.sweep.cluster.connection import Heartbeat
from cnnsweep.sweep.cluster.listener import Registered
from cnnsweep.sweep.cluster.nanny import Assignment, Kill, Killed, Stop
from cnnsweep.sweep.spec.messages import Finished, Job, Message, Started


class RemoteWorker:
    """Its nanny starts and replaces the process; this ends with the connection."""

    def __init__(self, registered: Registered, assignment: Assignment) -> None:
        self.job: Job | None = None
        self.started_at: float | None = None
        self.registration = registered.registration
        self.assignment = assignment
        self.connection: Any = registered.connection
        self._is_dying = False
        self._send(assignment)

    @property
    def is_over(self) -> bool:
        return bool(self.connection.closed)

    @property
    def is_free(self) -> bool:
        """Whether it can take a job."""
        return self.job is None and not self._is_dying

    def give(self, job: Job) -> None:
        self.job, self.started_at = job, None
        self._send(job)

    def answer(self, should_prune: bool) -> None:
        self._send(should_prune)

    def receive(self) -> Message | None:
        try:
            message: Message | Heartbeat | Killed = self.connection.recv()
        except (EOFError, OSError):
            return self.death()
        if isinstance(message, Finished) and message.reason == "preempted":
            self.connection.close()
        if isinstance(message, Killed):
            self._is_dying = False
        if self._is_dying or isinstance(message, Heartbeat | Killed):
            return None
        if isinstance(message, Started):
            self.started_at = time.monotonic()
        return message

    def is_gone(self) -> bool:
        return bool(self.connection.is_silent())

    def death(self) -> Finished:
        how = "says nothing any more" if self.connection.is_silent() else "was lost"
        self.connection.close()
        return Finished("lost", error=f"its worker on {self.registration.host} {how}")

    def ask_to_stop(self) -> None:
        self._send(Stop())

    def dismiss(self) -> None:
        self._send(None)

    def kill(self) -> None:
        self.job, self._is_dying = None, True
        self._send(Kill())

    def close(self, grace: float) -> None:
        """Wait for the relay to hang up."""
        if self.is_over:
            return
        deadline = time.monotonic() + grace
        with contextlib.suppress(EOFError, OSError):
            while self.connection.poll(max(0.0, deadline - time.monotonic())):
                self.connection.recv()
        self.connection.close()

    def _send(self, message: object) -> None:
        with contextlib.suppress(OSError):
            self.connection.send(message)
