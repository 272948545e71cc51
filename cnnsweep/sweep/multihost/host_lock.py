"""One at a time, over several hosts: a lock that a host which is gone cannot keep."""

import os
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import IO

from cnnsweep.folders.lock import try_lock
from cnnsweep.sweep.spec.optuna_internals import JournalFileLock

POLL_SECONDS = 0.02


class HostLock(JournalFileLock):
    """A ``flock`` on a file that holds the name of the host that has it.

    The kernel releases it when a process dies. A host that is merely stopped keeps it: after its
    silence the others put a new file in its place. Taking it again while holding it is harmless.

    ``me`` gives this host's name, ``is_silent(name)`` whether a host has not been heard of for
    ``silent_seconds``. ``wait(pause, waited)`` is called between two tries: it sleeps ``pause``
    seconds, ``waited`` having passed, and may raise to give up.
    """

    def __init__(
        self,
        path: Path,
        me: Callable[[], str],
        is_silent: Callable[[str], bool],
        silent_seconds: float,
        wait: Callable[[float, float], None],
    ) -> None:
        self._path = path
        self._me = me
        self._is_silent = is_silent
        self._silent_seconds = silent_seconds
        self._wait = wait
        self._file: IO[str] | None = None
        self._depth = 0
        self._nameless: tuple[int, int] | None = None  # a held file without a name, as last seen
        self._nameless_since = 0.0

    def acquire(self) -> bool:
        """Wait for the mutex and take it."""
        begun = time.monotonic()
        while self._file is None:
            self._file = self._try()
            if self._file is None:
                self._wait(POLL_SECONDS, time.monotonic() - begun)
                self._break()
        self._nameless = None
        self._depth += 1
        return True

    def release(self) -> None:
        """Let go of it, once as often released as taken."""
        self._depth -= 1
        if self._depth == 0:
            self.drop()

    def drop(self) -> None:
        """Let go of it however often it was taken."""
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
        file = self._path.open("a+", encoding="utf-8")
        if try_lock(file):
            file.truncate(0)
            file.write(self._me())
            file.flush()
            os.fsync(file.fileno())  # over a network the others may see no name before
            if self._is_in_place(file):  # looked up last: a file may be replaced until it is named
                return file
        file.close()
        return None

    def _break(self) -> None:
        """Put a new file in the place of one whose holder is gone.

        A holder without a name was stopped on its way in or out, or will be out at once.
        """
        with self._path.open("a+", encoding="utf-8") as file:
            holder = _name_in(file)
            if not (self._is_silent(holder) if holder else self._is_stuck(file)):
                return
            with self._path.with_name(f"{self._path.name}.breaking").open("a") as guard:
                if try_lock(guard) and self._still_has(file, holder):
                    fresh = self._path.with_name(f"{self._path.name}.{uuid.uuid4().hex}")
                    fresh.touch()
                    fresh.replace(self._path)

    def _still_has(self, file: IO[str], holder: str) -> bool:
        return self._is_in_place(file) and _name_in(file) == holder and not try_lock(file)

    def _is_stuck(self, file: IO[str]) -> bool:
        """Whether a file has had no name, and nobody has written to it, for ``silent_seconds``."""
        there, now = os.fstat(file.fileno()), time.monotonic()
        if self._nameless != (there.st_ino, there.st_mtime_ns):
            self._nameless, self._nameless_since = (there.st_ino, there.st_mtime_ns), now
        return now - self._nameless_since > self._silent_seconds

    def _is_in_place(self, file: IO[str]) -> bool:
        ours, there = os.fstat(file.fileno()), self._path.stat()
        return (ours.st_dev, ours.st_ino) == (there.st_dev, there.st_ino)


def _name_in(file: IO[str]) -> str:
    file.seek(0)
    return file.read()
