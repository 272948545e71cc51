"""A launch: the process in which a Hydra launcher runs, and what became of its jobs."""

import contextlib
import os
import signal
import subprocess
import tempfile
import time
from multiprocessing.connection import Pipe
from pathlib import Path

import cloudpickle

from cnnsweep.process import start_python
from cnnsweep.sweep.launching import Order

# A cluster may start a lost job again by itself (requeued by SLURM, retried by Ray).
_RETURN_SECONDS = 10.0
_HANG_UP_SECONDS = 0.7


class Launch:
    """Its jobs are here, may come, or are gone."""

    def __init__(self, order: Order, log: Path, report_seconds: float) -> None:
        """``log`` takes what the launcher prints.

        A job that has not reported after ``report_seconds`` is taken for gone; infinite where jobs
        may have to wait for room.
        """
        self.jobs = order.jobs
        self._silent_until = time.monotonic() + report_seconds
        self.came = False  # whether any of its jobs ever came
        self.here: set[int] = set()
        self.left_at: dict[int, float] = {}  # time.monotonic()
        self._refusal: str | None = None
        self._is_forgotten = False
        self._log = log
        self._error: str | None = None
        self._told, theirs = Pipe(duplex=False)
        read_end, self._lifeline = os.pipe()
        with tempfile.TemporaryFile() as file, log.open("ab") as output:
            file.write(cloudpickle.dumps(order))
            file.flush()
            fds = (theirs.fileno(), read_end, file.fileno())
            self._process = start_python("cnnsweep.sweep.launching", fds, output)
        theirs.close()
        os.close(read_end)

    def may_come(self, now: float) -> int:
        """How many of its jobs wait for their turn, or may come again."""
        if self.is_over():
            return 0
        may_return = sum(now - at <= _RETURN_SECONDS for at in self.left_at.values())
        silent = self.jobs - len(self.here) - len(self.left_at)
        return may_return + (silent if now <= self._silent_until else 0)

    def is_over(self) -> bool:
        return self._is_forgotten or self._process.poll() is not None

    def forget(self) -> None:
        """The cluster has none of its jobs any more; its launcher may wait for them for ever."""
        self._is_forgotten = True

    def refuse(self, job: int, reason: str, now: float) -> None:
        """A job came and cannot work."""
        self._refusal = reason
        self.left_at[job] = now

    def error(self) -> str | None:
        """Of a launch that is over: why, on one line."""
        if self._error is None and self._refusal is None and self._told.poll():
            with contextlib.suppress(EOFError):
                self._error = self._told.recv()
        if self._refusal is None and self._error is None and self._process.returncode:
            return f"its process ended with code {self._process.returncode}; see {self._log}"
        gone = "its jobs are gone from the queue" if self._is_forgotten else None
        return self._refusal or self._error or gone

    def end(self, seconds: float) -> None:
        """Wait for the launcher to see that its jobs are over, then end it."""
        try:
            self._process.wait(max(0.0, seconds))
        except subprocess.TimeoutExpired:
            self._process.terminate()  # Ray hangs up in good order
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(_HANG_UP_SECONDS)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._told.close()
        os.close(self._lifeline)
