"""A worker as the launching process sees it; and one that is a process on this machine."""

import contextlib
import os
import signal
import time
from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any

from cnnsweep.errors import on_one_line
from cnnsweep.process import EARLY_SIGNALS, held_back
from cnnsweep.redact import masked
from cnnsweep.sweep.machine.gpus import Gpu
from cnnsweep.sweep.spec.messages import Finished, Job, Message, Reason, Started
from cnnsweep.sweep.workers.child_process import ChildProcess

DEATH_SECONDS = 1.0  # that a process which hung up gets to end
_LOOKED_AT = 20_000  # bytes of a log's end
_LONGEST = 200  # characters of an error


class WorkerHandle(ABC):
    """A worker that has at most one job, at the other end of ``connection``."""

    def __init__(self, connection: Any, log: Path) -> None:
        """``log`` takes what is printed between jobs, and when the worker cannot start."""
        self.connection = connection
        self.log = log
        self.job: Job | None = None
        self.started_at: float | None = None  # time.monotonic() when the worker began the job

    @property
    def is_free(self) -> bool:
        """Whether it can take a job."""
        return self.job is None

    @property
    def is_alone(self) -> bool:
        """Whether no other job runs, or ran in the end, in the process of this one."""
        return True

    @property
    def is_over(self) -> bool:
        """Whether this worker is known to be gone, and everything of it is cleaned up."""
        return bool(self.connection.closed)

    def give(self, job: Job) -> None:
        """Hand over a job."""
        self.job, self.started_at = job, None
        self.send(job)

    def send(self, message: object) -> None:
        """Send the answer to an Epoch, or None: no more jobs come.

        A worker that is dead is noticed by `receive` or `is_gone`, not here.
        """
        with contextlib.suppress(OSError):
            self.connection.send(message)

    def receive(self) -> Message | None:
        """The next message of a readable connection; None for one that is not about the job."""
        try:
            message: Message = self.connection.recv()
        except (EOFError, OSError):  # OSError: the worker died in the middle of a message
            return self.death()
        if isinstance(message, Started):
            self.started_at = time.monotonic()
        return message

    @abstractmethod
    def is_gone(self) -> bool:
        """Whether the worker has died without closing its connection."""

    @abstractmethod
    def death(self) -> Finished:
        """Clean up after a worker that died, and say how it died."""

    @abstractmethod
    def ask_to_stop(self) -> None:
        """Tell the worker to save its last whole epoch and end."""

    @abstractmethod
    def kill(self) -> None:
        """End its job at once."""

    @abstractmethod
    def close(self, grace: float) -> None:
        """Wait ``grace`` seconds for its end, then end it; calling this again is harmless."""


def start_process(setup: bytes, log: Path, gpu: Gpu, connections: int = 1) -> ChildProcess:
    """Start a worker's process; with several connections it has as many jobs at a time."""
    environment = os.environ | gpu.environment()
    with held_back(EARLY_SIGNALS):
        module = "cnnsweep.sweep.workers.worker_main"
        return ChildProcess(module, setup, log, environment, connections)


class Worker(WorkerHandle):
    """A process in a session of its own, so that Ctrl-C reaches it only through `ask_to_stop`."""

    def __init__(self, setup: bytes, log: Path, gpu: Gpu) -> None:
        """``setup`` is the pickled Setup."""
        self._log_began = size_of(log)
        self._child = start_process(setup, log, gpu)
        super().__init__(self._child.connections[0], log)

    def is_gone(self) -> bool:
        """Also where processes that the worker started keep the connection open."""
        return self._child.process.poll() is not None

    def death(self) -> Finished:
        self._end(DEATH_SECONDS)
        error = cause_of_death(self._child, self.log, self._log_began)
        reason: Reason = "never_started" if self.started_at is None else "died"
        return Finished(reason, error=error, log=str(self.log))

    def ask_to_stop(self) -> None:
        self._child.process.terminate()

    @property
    def was_ended_from_outside(self) -> bool:
        """Whether the process ended by a signal that clusters send to a whole job or node."""
        signals = (128 + signal.SIGTERM, -signal.SIGTERM, -signal.SIGKILL)
        return self._child.process.returncode in signals

    def kill(self) -> None:
        """Kill the process, and all that it started, too."""
        self._end(0.0)

    def close(self, grace: float) -> None:
        if not self.is_over:
            self._end(grace)

    def _end(self, grace: float) -> None:
        self._child.end(grace)
        self.connection.close()


def size_of(log: Path) -> int:
    """The bytes of a file, 0 where it isn't there yet."""
    return log.stat().st_size if log.exists() else 0


def cause_of_death(child: ChildProcess, log: Path, since: int) -> str:
    """How a process that was ended ended, in words, with the error that it printed last.

    ``since``: the bytes of its log that were there before it.
    """
    code = child.process.returncode
    said = _last_error(log, since)
    if child.was_killed_here:  # the kernel did not, for want of memory
        return f"its process broke off{said}"
    if code >= 0:
        return f"its process ended with exit code {code}{said}"
    name = signal.Signals(-code).name
    hint = " (out of memory?)" if -code == signal.SIGKILL else ""
    return f"its process was killed by {name}{hint}{said}"


def _last_error(log: Path, since: int) -> str:
    """The line of a log's last traceback that names the error, after a colon; empty without one."""
    try:
        with log.open("rb") as file:
            file.seek(max(since, size_of(log) - _LOOKED_AT))
            text = file.read().decode(errors="replace")
    except OSError:
        return ""
    _, found, after = text.rpartition("Traceback (most recent call last):\n")
    lines = [line for line in after.splitlines() if line.strip() and not line.startswith(" ")]
    return f": {masked(on_one_line(lines[0]))[:_LONGEST]}" if found and lines else ""
