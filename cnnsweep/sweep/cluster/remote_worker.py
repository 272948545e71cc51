"""A worker that a launcher started, as the launching process sees it: a connection to its nanny."""

import contextlib
import time

from cnnsweep.sweep.cluster.connection import Heartbeat
from cnnsweep.sweep.cluster.listener import Registered
from cnnsweep.sweep.cluster.nanny import Assignment, Command
from cnnsweep.sweep.spec.messages import Finished, Message
from cnnsweep.sweep.workers.local_worker import WorkerHandle


class RemoteWorker(WorkerHandle):
    """It lasts as long as the connection; the nanny starts its process and replaces it."""

    def __init__(self, registered: Registered, assignment: Assignment) -> None:
        super().__init__(registered.connection, assignment.log)
        self._host = registered.registration.host
        self._is_dying = False  # its job was killed, and the nanny has not confirmed it yet
        self.send(assignment)

    @property
    def is_free(self) -> bool:
        return self.job is None and not self._is_dying

    def receive(self) -> Message | None:
        message: Message | Heartbeat | Command | None = super().receive()
        if isinstance(message, Finished) and message.reason == "preempted":
            self.connection.close()
        if message is Command.KILLED:
            self._is_dying = False
        if self._is_dying or isinstance(message, Heartbeat | Command):
            return None
        return message

    def is_gone(self) -> bool:
        return bool(self.connection.is_silent())

    def death(self) -> Finished:
        how = "says nothing any more" if self.connection.is_silent() else "was lost"
        self.connection.close()
        return Finished("lost", error=f"its worker on {self._host} {how}")

    def ask_to_stop(self) -> None:
        self.send(Command.STOP)

    def kill(self) -> None:
        self.job, self._is_dying = None, True
        self.send(Command.KILL)

    def close(self, grace: float) -> None:
        """Wait for the nanny to hang up."""
        if self.is_over:
            return
        deadline = time.monotonic() + grace
        with contextlib.suppress(EOFError, OSError):
            while self.connection.poll(max(0.0, deadline - time.monotonic())):
                self.connection.recv()
        self.connection.close()
