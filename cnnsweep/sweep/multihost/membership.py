"""The launches (hosts) that work on one sweep: each has a heartbeat, and sees who is gone.

A host keeps a file in the sweep folder, which it locks, and touches every few seconds. One whose
lock is free has died; one that has not touched its file for ``GONE_SECONDS`` is silent. Ages are
measured with the file system's clock only, so the hosts' clocks need not agree.
"""

import fcntl
import os
import secrets
import socket
import threading
import time
from pathlib import Path

from cnnsweep.errors import StoppedEarly
from cnnsweep.folders.lock import try_lock
from cnnsweep.folders.sweep_folder import HOSTS

HEARTBEAT_SECONDS = 3.0
LOST_SECONDS = 25.0  # a host that could not touch its file for so long stops acting, ...
GONE_SECONDS = 45.0  # ... before the others take over its trials


class HostExpired(StoppedEarly):
    """This host was stopped for so long that the others may have taken over its trials."""


class HostMembership:
    """This launch as a host, under a name that is used only once."""

    def __init__(self, sweep: Path) -> None:
        self._folder = sweep / HOSTS
        self._folder.mkdir(exist_ok=True)
        self.name = f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(3)}"
        self._file = self.file.open("x")
        fcntl.flock(self._file, fcntl.LOCK_EX)
        self._beat = _now()
        self._is_lost = False
        self._is_leaving = threading.Event()
        self._thread = threading.Thread(target=self._keep_beating, daemon=True)
        self._thread.start()

    @property
    def file(self) -> Path:
        """The file that this host touches."""
        return self._folder / self.name

    def check(self) -> None:
        """Raise HostExpired where the others may take this host for gone."""
        if self._is_lost or _now() - self._beat > LOST_SECONDS:
            raise self._expired()

    def leave(self) -> None:
        """Stop being a host: remove the file."""
        self._is_leaving.set()
        self._thread.join()
        self._file.close()
        self.file.unlink(missing_ok=True)

    def is_gone(self, name: str) -> bool:
        """Whether another host has died or is silent.

        Raises:
            HostExpired: the others may take this host for gone.
        """
        return self.is_silent(name) or (name != self.name and self._has_died(name))

    def is_silent(self, name: str) -> bool:
        """Whether a host has been silent for so long that none of its processes still acts.

        Of a host that has died but is not silent yet, workers may still be ending.

        Raises:
            HostExpired: the others may take this host for gone.
        """
        self.check()
        if name == self.name:
            return False
        now = self._file_clock()  # first: stopped in between, we see less silence, not more
        try:
            with (self._folder / name).open() as file:
                return now - os.fstat(file.fileno()).st_mtime > GONE_SECONDS
        except FileNotFoundError:
            return True

    def bury(self, name: str) -> None:
        """Remove the file of a silent host, by which it sees, should it wake, that it expired."""
        if self.is_silent(name):
            (self._folder / name).unlink(missing_ok=True)

    def others(self) -> int:
        """How many other hosts are at work."""
        names = [entry.name for entry in self._folder.iterdir() if entry.is_file()]
        return sum(name != self.name and not self.is_gone(name) for name in names)

    def _has_died(self, name: str) -> bool:
        try:
            with (self._folder / name).open("r+") as file:
                return try_lock(file)
        except FileNotFoundError:
            return True

    def _file_clock(self) -> float:
        """The file system's time, from touching our file.

        Files are opened to read their times, since NFS may otherwise answer from its cache.
        """
        try:
            os.utime(self.file)
            with self.file.open() as ours:
                return os.fstat(ours.fileno()).st_mtime
        except FileNotFoundError:  # another host has removed it
            raise self._expired() from None

    def _expired(self) -> HostExpired:
        self._is_lost = True
        return HostExpired(
            f"this launch was stopped for more than {LOST_SECONDS:.0f} s, and the other hosts "
            "may have taken over its trials"
        )

    def _keep_beating(self) -> None:
        while not self._is_leaving.wait(HEARTBEAT_SECONDS):
            try:
                self.check()
                os.utime(self.file)
            except (HostExpired, FileNotFoundError):
                self._is_lost = True  # never touch it again: the others may have removed it
                return
            except OSError:  # the file system may recover; if it does not, this host expires
                continue
            self._beat = _now()


def _now() -> float:
    """A clock that also counts while the machine sleeps, where there is one."""
    clock = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
    return time.clock_gettime(clock)
