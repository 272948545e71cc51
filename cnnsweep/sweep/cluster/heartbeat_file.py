"""A file by which workers on other machines see that the launching process is alive.

A worker that is stopped, with its nanny, for as long as that takes to be given up must not act when
it wakes: its run may be another worker's by then. The kernel kills it on waking where it has not
seen the file touched for LOST_SECONDS (see workers/watchdog.py).
"""

import contextlib
import os
import secrets
import threading
from pathlib import Path

from cnnsweep.folders.sweep_folder import HEARTBEAT
from cnnsweep.sweep.multihost.membership import HEARTBEAT_SECONDS


class HeartbeatFile:
    """Touched every few seconds until it is closed, which removes it and ends whoever watches."""

    def __init__(self, folder: Path) -> None:
        """Workers of an earlier launch that watch another file in ``folder`` are ended so, too."""
        for old in folder.glob(HEARTBEAT.format("*")):
            old.unlink(missing_ok=True)
        self.path = folder / HEARTBEAT.format(secrets.token_hex(4))
        self.path.touch()
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._keep_beating, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Calling it again is harmless."""
        self._is_over.set()
        self._thread.join()
        self.path.unlink(missing_ok=True)

    def _keep_beating(self) -> None:
        while not self._is_over.wait(HEARTBEAT_SECONDS):
            with contextlib.suppress(OSError):  # the file system may recover
                os.utime(self.path)
