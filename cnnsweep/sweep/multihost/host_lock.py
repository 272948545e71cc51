"""A lock among hosts that is taken away from a holder which is gone or stopped."""

import os
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from cnnsweep.folders.lock import try_lock
from cnnsweep.sweep.spec.optuna_internals import JournalFileLock

POLL_SECONDS = 0.02


@dataclass(eq=False)
class HostLock(JournalFileLock):
    """A ``flock`` on the file ``path``, which holds the name of the host that has the lock.

    The kernel releases it when a process dies. A host that is only stopped keeps it: once it has
    been silent, the others put a new file in its place. It may be taken again while it is held.

    ``me`` gives this host's name, ``is_silent(name)`` whether a host has not been heard of for
    ``silent_seconds``. ``wait(pause, waited)`` is called between two tries: it sleeps ``pause``
    seconds, ``waited`` having passed, and may raise to give up.
    """

    path: Path
    me: Callable[[], str]
    is_silent: Callable[[str], bool]
    silent_seconds: float
    wait: Callable[[float, float], None]

    def __post_init__(self) -> None:
        self._file: IO[str] | None = None
        self._depth = 0
        self._nameless: tuple[int, int] | None = None  # a held file without a name, as last seen
        self._nameless_since = 0.0

    def acquire(self) -> bool:
        """Wait for the lock and take it; returns True, as Optuna asks of a journal's lock."""
        begun = time.monotonic()
        while self._file is None:
            self._file = self._try()
            if self._file is None:
                self.wait(POLL_SECONDS, time.monotonic() - begun)
                self._break()
        self._nameless = None
        self._depth += 1
        return True

    def release(self) -> None:
        """Undo one `acquire`; the last one undone frees the lock."""
        self._depth -= 1
        if self._depth == 0:
            self.drop()

    def drop(self) -> None:
        """Free the lock, however often it was taken."""
        self._depth = 0
        if self._file is not None:
            self._file.truncate(0)
            self._file.close()
            self._file = None

    def __enter__(self) -> None:
        self.acquire()

    def __exit__(self, *_: object) -> None:
        if self._depth > 0:  # else it was dropped
            self.release()

    def _try(self) -> IO[str] | None:
        file = self.path.open("a+", encoding="utf-8")
        if try_lock(file):
            file.truncate(0)
            file.write(self.me())
            file.flush()
            os.fsync(file.fileno())  # on a network file system others see the name only now
            if self._is_in_place(file):  # checked last: a file without a name may be replaced
                return file
        file.close()
        return None

    def _break(self) -> None:
        """Put a new file in the place of one whose holder is silent.

        A file that is locked and holds no name is being taken or freed, or its holder was stopped
        while doing so.
        """
        with self.path.open("a+", encoding="utf-8") as file:
            holder = _name_in(file)
            if not (self.is_silent(holder) if holder else self._is_stuck(file)):
                return
            with self.path.with_name(f"{self.path.name}.breaking").open("a") as guard:
                if not try_lock(guard) or not self._is_in_place(file):
                    return
                if _name_in(file) == holder and not try_lock(file):  # unchanged since
                    fresh = self.path.with_name(f"{self.path.name}.{uuid.uuid4().hex}")
                    fresh.touch()
                    fresh.replace(self.path)

    def _is_stuck(self, file: IO[str]) -> bool:
        """Whether a file has had no name, and nobody has written to it, for ``silent_seconds``."""
        there, now = os.fstat(file.fileno()), time.monotonic()
        if self._nameless != (there.st_ino, there.st_mtime_ns):
            self._nameless, self._nameless_since = (there.st_ino, there.st_mtime_ns), now
        return now - self._nameless_since > self.silent_seconds

    def _is_in_place(self, file: IO[str]) -> bool:
        ours, there = os.fstat(file.fileno()), self.path.stat()
        return (ours.st_dev, ours.st_ino) == (there.st_dev, there.st_ino)


def _name_in(file: IO[str]) -> str:
    file.seek(0)
    return file.read()
