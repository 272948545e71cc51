"""A Python process that is started beside this one, and ends when this one does."""

import contextlib
import os
import signal
import subprocess
import tempfile
from collections.abc import Mapping
from multiprocessing.connection import Pipe
from pathlib import Path

from cnnsweep.process import start_python


class ChildProcess:
    """Runs ``main(connection_fd, lifeline_fd, setup_fd)`` of a module, in a session of its own.

    ``main`` must call ``watchdog.die_with_parent(lifeline_fd)``. ``connection`` is a two-way pipe.
    """

    def __init__(
        self, module: str, setup: bytes, log: Path, environment: Mapping[str, str] | None = None
    ) -> None:
        """``setup`` is what ``main`` can read from ``setup_fd``; ``log`` takes what is printed."""
        self.connection, theirs = Pipe()
        read_end, self._lifeline = os.pipe()
        with tempfile.TemporaryFile() as file, log.open("ab") as output:
            file.write(setup)
            file.flush()
            fds = (theirs.fileno(), read_end, file.fileno())
            self.process = start_python(module, fds, output, environment)
        theirs.close()
        os.close(read_end)

    def end(self, grace: float) -> int:
        """Wait ``grace`` seconds for its end, then SIGKILL it; return its code, -N for signal N.

        Processes that it started are killed in any case, and the connection is closed.
        """
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(timeout=max(0.0, grace))
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        code = self.process.wait()
        self.connection.close()
        os.close(self._lifeline)
        return code
