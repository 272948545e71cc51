"""One worker process, seen from the process that launched it."""

import contextlib
import os
import signal
import subprocess
import time
from multiprocessing.connection import Pipe
from pathlib import Path
from typing import IO

from cnnsweep.errors import UserError
from cnnsweep.folders.lock import try_lock
from cnnsweep.folders.sweep_folder import WORKER_LOG
from cnnsweep.process import EARLY_SIGNALS, held_back, start_python
from cnnsweep.sweep.spec.messages import Finished, Job, Message, Started


class Worker:
    """A process in a session of its own, so that Ctrl-C reaches it through us alone."""

    def __init__(self, setup: IO[bytes], log: Path, device: str | None) -> None:
        """``setup`` is an open file that holds the pickled Setup; ``log`` takes what is printed."""
        self.job: Job | None = None
        self.started_at: float | None = None  # time.monotonic() at the job's start
        self._has_started = False
        self.connection, theirs = Pipe()
        read_end, self._lifeline = os.pipe()
        environment = dict(os.environ)
        if device is not None:
            environment["CUDA_VISIBLE_DEVICES"] = device
        fds = (theirs.fileno(), read_end, setup.fileno())
        with log.open("ab") as output, held_back(EARLY_SIGNALS):
            self._process = start_python(
                "cnnsweep.sweep.workers.worker_main", fds, output, environment
            )
        theirs.close()
        os.close(read_end)

    def give(self, job: Job) -> None:
        """Hand over a job; a process that is already dead is noticed when its answer is due."""
        self.job, self._has_started, self.started_at = job, False, None
        self._send(job)

    def answer(self, should_prune: bool) -> None:
        """Answer an Epoch."""
        self._send(should_prune)

    def receive(self) -> Message:
        """The next message of a readable connection."""
        try:
            message: Message = self.connection.recv()
        except (EOFError, OSError):  # OSError: it died in the middle of a message
            return self.death()
        if isinstance(message, Started):
            self._has_started, self.started_at = True, time.monotonic()
        return message

    def is_gone(self) -> bool:
        """Whether the process has ended, also where its children keep the connection open."""
        return self._process.poll() is not None

    def death(self) -> Finished:
        """Clear away what is left of the process and say how it ended."""
        error = _cause(self._end(1.0))
        return Finished("died" if self._has_started else "never_started", error=error)

    def ask_to_stop(self) -> None:
        """Let it keep its last whole epoch and go."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self._process.pid, signal.SIGTERM)

    @property
    def was_ended_from_outside(self) -> bool:
        """Whether the process ended by a signal that clusters send to all of a job, or node."""
        told = (128 + signal.SIGTERM, -signal.SIGTERM, -signal.SIGKILL)
        return self._process.returncode in told

    def dismiss(self) -> None:
        """Tell an idle worker that no more jobs come."""
        self._send(None)

    def kill(self) -> None:
        """SIGKILL it and all it started, and clear away what is left."""
        self._kill()
        self._end(1.0)

    @property
    def is_over(self) -> bool:
        """Whether there is no process any more."""
        return self.connection.closed

    def _kill(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)

    def close(self, grace: float) -> None:
        """Wait ``grace`` seconds for its end, then kill it; again is harmless."""
        if not self.is_over:
            self._end(grace)

    def _end(self, grace: float) -> int:
        try:
            code = self._process.wait(timeout=max(0.0, grace))
        except subprocess.TimeoutExpired:
            self._kill()
            code = self._process.wait()
        self._kill()  # its children
        self.connection.close()
        os.close(self._lifeline)
        return code

    def _send(self, message: object) -> None:
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            self.connection.send(message)


def _cause(code: int) -> str:
    if code >= 0:
        return f"its process ended with exit code {code}"
    name = signal.Signals(-code).name
    hint = " (out of memory?)" if -code == signal.SIGKILL else ""
    return f"its process was killed by {name}{hint}"


def wait_for_old_workers(folder: Path, seconds: float) -> None:
    """Wait until no worker of an earlier launch is left; each locks its log in ``folder``.

    Raises:
        UserError: one is still there after ``seconds``.
    """
    deadline = time.monotonic() + seconds
    for log in sorted(folder.glob(WORKER_LOG.format("*"))):
        with log.open("a") as file:
            while not try_lock(file):
                if time.monotonic() > deadline:
                    raise UserError(
                        f"a worker of an earlier launch still runs (it holds {log}); end it first"
                    )
                time.sleep(0.05)
