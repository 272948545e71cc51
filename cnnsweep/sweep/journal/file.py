"""The journal's file: whole lines, written under a lock that a killed process does not keep."""

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedReader
from pathlib import Path
from typing import IO, Any

from optuna.storages.journal import BaseJournalBackend

from cnnsweep.folders.lock import LOCK_NAME
from cnnsweep.process import held_back
from cnnsweep.sweep.journal.optunas_lock import dashboards_wait
from cnnsweep.sweep.spec.optuna_internals import JournalFileLock


class FlockLock(JournalFileLock):
    """A flock: the kernel releases it on any death; Optuna's own lock files outlive a SIGKILL."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: IO[bytes] | None = None

    def acquire(self) -> bool:
        self._file = self._path.open("ab")
        fcntl.flock(self._file, fcntl.LOCK_EX)
        return True

    def release(self) -> None:
        assert self._file is not None
        self._file.close()


class MendingLock(JournalFileLock):
    """Cuts off the journal's torn last line when the lock is acquired and before its release."""

    def __init__(self, lock: JournalFileLock, journal: Path) -> None:
        self._lock = lock
        self._journal = journal

    def acquire(self) -> bool:
        self._lock.acquire()
        try:
            _cut_torn_line(self._journal)
        except BaseException:
            self._lock.release()
            raise
        return True

    def release(self) -> None:
        try:
            _cut_torn_line(self._journal)
        finally:
            self._lock.release()

    @contextmanager
    def held(self) -> Iterator[None]:
        """Nobody else writes in the block."""
        self.acquire()
        try:
            yield
        finally:
            self.release()


class WholeLines(BaseJournalBackend):
    """A journal whose torn last line (a full disk, a lost machine) is cut off before writing.

    Optuna's own backend would append its next line to it, and lose both. The format is Optuna's,
    which reads the file with its own means. What was read is not read again, nor looked up.
    """

    def __init__(self, path: Path, lock: JournalFileLock | None) -> None:
        """``lock`` is what is written under; None: a flock beside the journal.

        Raises:
            ValueError: the last line is whole and damaged.
        """
        self._path = path.resolve()
        self._lock = MendingLock(lock or FlockLock(self._path.with_suffix(LOCK_NAME)), self._path)
        self._path.open("ab").close()  # it exists from now on
        self._read = (0, 0)  # lines, and their bytes
        self._held: list[bytes] | None = None  # what is written at the end of `together`
        self._held_after = 0  # lines
        self._lost: OSError | None = None
        self.changed: set[int] = set()  # trials of which something was read; their readers clear it
        with self._lock.held():  # mends it before anything is read
            _check_last_line(self._path)

    def read_logs(self, log_number_from: int) -> Iterator[dict[str, Any]]:
        """As Optuna's own, with what is held back to be written."""
        for log in self._logs(log_number_from):
            if "trial_id" in log:
                self.changed.add(log["trial_id"])
            yield log

    def append_logs(self, logs: list[dict[str, Any]]) -> None:
        """On disk when this returns, unless in a `together`."""
        lines = [json.dumps(log, separators=(",", ":")).encode() + b"\n" for log in logs]
        if self._held is not None:
            self._held += lines
            return
        with self._lock.held():
            self._write(lines)

    @contextmanager
    def together(self) -> Iterator[None]:
        """What is written in the block goes to the disk at its end, at once; others wait.

        Writing to the disk is what takes long, not how much it is. A process that dies in the
        block has written nothing. Blocks in a block are part of it. Lines of a dashboard would come
        before those of the block, which are read first: it waits too.
        """
        if self._held is not None:
            yield
            return
        with self._lock.held(), dashboards_wait(self._path):
            self._held_after, self._held = self._count(), []
            try:
                yield
            finally:
                with held_back():  # a signal before this leaves them held, as all that follows
                    lines, self._held = self._held, None
                    self._write(lines)

    def _write(self, lines: list[bytes]) -> None:
        if self._lost is not None:  # what is in memory is not what is on disk
            raise self._lost
        if not lines:
            return
        try:
            with self._path.open("ab") as file:
                file.write(b"".join(lines))
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            self._lost = error
            raise

    def _logs(self, first: int) -> Iterator[dict[str, Any]]:
        yield from self._written(first)
        if self._held is not None:
            yield from map(json.loads, self._held[max(0, first - self._held_after) :])

    def _written(self, first: int) -> Iterator[dict[str, Any]]:
        """What is in the file from line ``first`` on; a last line may be on its way."""
        number, offset = self._read if self._read[0] <= first else (0, 0)
        with self._path.open("rb", buffering=0) as raw:  # each time: NFS looks at the server then
            size = os.fstat(raw.fileno()).st_size
            if size <= offset:
                return
            raw.seek(offset)
            file = BufferedReader(raw)
            damage: ValueError | None = None
            for line in file:
                offset += len(line)
                if offset > size or not line.endswith(b"\n"):
                    return
                if damage is not None:
                    raise damage
                try:
                    log = _parsed(line) if number >= first else None
                except ValueError as error:
                    damage = error
                    continue
                number += 1
                self._read = (number, offset)
                if log is not None:
                    yield log

    def _count(self) -> int:
        """The lines of the file."""
        number, offset = self._read
        with self._path.open("rb") as file:
            file.seek(offset)
            return number + sum(1 for _ in file)


def _parsed(line: bytes) -> dict[str, Any]:
    log = json.loads(line)
    if not isinstance(log, dict):
        raise ValueError(f"not a record: {line.decode()[:40].strip()}")
    return log


def _check_last_line(journal: Path) -> None:
    """Readers take a last line that says nothing for one on its way; written after, it stays.

    Raises:
        ValueError: it is damaged.
    """
    lines = journal.read_bytes().rsplit(b"\n", 2)
    if len(lines) > 1:
        _parsed(lines[-2])


def _cut_torn_line(journal: Path) -> None:
    with journal.open("r+b") as file:
        end = file.seek(0, os.SEEK_END)
        whole = end
        while whole > 0:
            file.seek(whole - 1)
            if file.read(1) == b"\n":
                break
            whole -= 1
        if whole < end:
            file.truncate(whole)
