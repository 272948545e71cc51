"""Opening the study's storage: a journal in the sweep folder, or any URL that Optuna takes."""

import fcntl
import os
from pathlib import Path
from typing import IO, Any

from optuna.storages import BaseStorage, JournalStorage, get_storage
from optuna.storages.journal import JournalFileBackend
from optuna.storages.journal._file import BaseJournalFileLock
from sqlalchemy.exc import SQLAlchemyError

from cnnsweep.bad_input import BadInput
from cnnsweep.outcome import one_line

JOURNAL = "study.journal"


class FlockLock(BaseJournalFileLock):
    """The kernel lets go of it on any death; Optuna's own lock files outlive a SIGKILL."""

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


class WholeLines(JournalFileBackend):
    """A journal whose torn last line (a full disk, a lost machine) is cut off before writing.

    Optuna would glue its next line to it, and lose both.
    """

    def __init__(self, path: Path) -> None:
        self._journal = path.resolve()
        lock = FlockLock(self._journal.with_suffix(".lock"))
        super().__init__(str(self._journal), lock_obj=lock)
        lock.acquire()
        _cut_torn_line(self._journal)
        lock.release()

    def append_logs(self, logs: list[dict[str, Any]]) -> None:
        try:
            super().append_logs(logs)
        except OSError:
            _cut_torn_line(self._journal)
            raise


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


def open_storage(url: str | None, folder: Path) -> BaseStorage:
    """The journal of a sweep's folder where ``url`` is None.

    Raises:
        BadInput: it cannot be opened.
    """
    if url is None:
        return _open_journal(folder / JOURNAL)
    try:
        return get_storage(url)
    except (ImportError, ValueError, SQLAlchemyError) as error:
        kind = url.partition("://")[0]  # the rest may hold a password
        raise BadInput(
            f"hydra.sweeper.storage: cannot open the {kind} storage: {type(error).__name__}. "
            "Allowed: null (a journal in the sweep folder), or a URL that Optuna takes, "
            "e.g. sqlite:////absolute/path.db, its folder and driver being there"
        ) from error


def _open_journal(path: Path) -> BaseStorage:
    try:
        return JournalStorage(WholeLines(path))
    except (ValueError, KeyError) as error:
        raise BadInput(f"{path} is damaged: {one_line(error)}; restore it from a copy") from error
