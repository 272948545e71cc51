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
    """Runs ``main(lifeline_fd, setup_fd, *connection_fds)`` of a module, in a session of its own.

    ``main`` must call ``watchdog.die_with_parent(lifeline_fd)``. ``connections`` are two-way pipes.
    """

    def __init__(
        self,
        module: str,
        setup: bytes,
        log: Path,
        environment: Mapping[str, str] | None = None,
        connections: int = 1,
    ) -> None:
        """``setup`` is what ``main`` can read from ``setup_fd``; ``log`` takes what is printed."""
        pipes = [Pipe() for _ in range(connections)]
        self.was_killed_here = False  # by `end`, which it outlived
        self.connections = [ours for ours, _ in pipes]
        read_end, self._lifeline = os.pipe()
        with tempfile.TemporaryFile() as file, log.open("ab") as output:
            file.write(setup)
            file.flush()
            fds = (read_end, file.fileno(), *(theirs.fileno() for _, theirs in pipes))
            self.process = start_python(module, fds, output, environment)
        for _, theirs in pipes:
            theirs.close()
        os.close(read_end)

    def end(self, grace: float) -> int:
        """Wait ``grace`` seconds for its end, then SIGKILL it; return its code, -N for signal N.

        Processes that it started are killed in any case. The connections stay open: what it sent
        before can still be read from them.
        """
        try:
            self.process.wait(timeout=max(0.0, grace))
        except subprocess.TimeoutExpired:
            self.was_killed_here = True
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        code = self.process.wait()
        os.close(self._lifeline)
        return code
