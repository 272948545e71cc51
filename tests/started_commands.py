"""Commands that run in the background, in forked children of the server of commands."""

import contextlib
import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.fork_server import ForkServer

_LOOK_SECONDS = 0.01


class StartedCommand:
    """What of ``subprocess.Popen`` is needed of a command; its output and errors are one text."""

    def __init__(
        self,
        server: ForkServer,
        module: str,
        words: Sequence[str],
        cwd: Path,
        environment: Mapping[str, str],
    ) -> None:
        self._files = tempfile.TemporaryDirectory(prefix="command")
        self._out, self._code = (Path(self._files.name) / name for name in ("out", "code"))
        self.returncode: int | None = None
        self.pid = server.start(module, words, cwd, environment, out=self._out, code=self._code)

    def poll(self) -> int | None:
        """Its exit code, -N for signal N; None while it runs."""
        if self.returncode is None and self._code.exists():
            self.returncode = int(self._code.read_text())
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Its exit code, after at most ``timeout`` seconds."""
        ends = None if timeout is None else time.monotonic() + timeout
        while (code := self.poll()) is None:
            if ends is not None and time.monotonic() >= ends:
                raise subprocess.TimeoutExpired("a forked command", timeout or 0.0)
            time.sleep(_LOOK_SECONDS)
        return code

    def send_signal(self, number: int) -> None:
        """Send it, unless it has ended."""
        if self.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def communicate(self, timeout: float | None = None) -> tuple[str, None]:
        """What it has printed, once it has ended."""
        self.wait(timeout)
        return self.printed(), None

    def printed(self) -> str:
        """What it has printed so far."""
        return self._out.read_text(errors="replace")

    def close(self) -> None:
        """Forget what it printed."""
        self._files.cleanup()
