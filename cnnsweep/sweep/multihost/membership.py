"""The launches that work on one sweep: each shows that it lives, and sees who is gone.

A launch (a host) keeps a file in the sweep folder, which it locks, and touches every few seconds.
One whose lock is free has died; one that has not touched its file for ``GONE_SECONDS`` has
vanished. Ages are told by the file system's clock alone, so the hosts' clocks do not matter.
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
LOST_SECONDS = 25.0  # after such a silence of its own a host takes itself for gone, ...
GONE_SECONDS = 45.0  # ... well before the others do


class HostExpired(StoppedEarly):
    """This host was stopped for so long that the others may have taken its trials."""


class HostMembership:
    """This launch, under a name that it uses once."""

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
        """What this host touches as long as it lives."""
        return self._folder / self.name

    def check(self) -> None:
        """Raise Woken where the others may take this host for gone."""
        silence = _now() - self._beat
        if self._is_lost or silence > LOST_SECONDS:
            raise self._expired()

    def leave(self) -> None:
        """Be no host any more."""
        self._is_leaving.set()
        self._thread.join()
        self._file.close()
        self.file.unlink(missing_ok=True)

    def is_gone(self, name: str) -> bool:
        """Whether another host has died or vanished.

        Raises:
            Woken: we may be taken for gone ourselves.
        """
        return self.is_silent(name) or (name != self.name and self._has_died(name))

    def is_silent(self, name: str) -> bool:
        """Whether a host has shown no life for so long that none of its processes can be left.

        What is left of one that merely died may still be on its way out.

        Raises:
            Woken: we may be taken for gone ourselves.
        """
        self.check()
        if name == self.name:
            return False
        now = self._file_clock()  # before we look: stopped in between, we see less silence
        try:
            with (self._folder / name).open() as file:
                return now - os.fstat(file.fileno()).st_mtime > GONE_SECONDS
        except FileNotFoundError:
            return True

    def bury(self, name: str) -> None:
        """Remove the file of a silent host: should it wake, it sees that it was taken for gone."""
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
        """The file system's time, by touching our file.

        By opening it anew, as the others' files, since NFS may otherwise tell what it remembers.
        """
        try:
            os.utime(self.file)
            with self.file.open() as ours:
                return os.fstat(ours.fileno()).st_mtime
        except FileNotFoundError:  # the others have buried us
            raise self._expired() from None

    def _expired(self) -> HostExpired:
        self._is_lost = True
        return HostExpired(
            f"this launch was stopped for more than {LOST_SECONDS:.0f} s, and the other hosts "
            "may have gone on with its trials"
        )

    def _keep_beating(self) -> None:
        while not self._is_leaving.wait(HEARTBEAT_SECONDS):
            if self._is_lost or _now() - self._beat > LOST_SECONDS:
                self._is_lost = True  # never beat again under a name that others may have buried
                return
            try:
                os.utime(self.file)
            except FileNotFoundError:
                self._is_lost = True
                return
            except OSError:  # the file system has a moment's trouble: silence, if it lasts
                continue
            self._beat = _now()


def _now() -> float:
    """A clock that goes on while the machine sleeps, where there is one."""
    clock = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
    return time.clock_gettime(clock)
