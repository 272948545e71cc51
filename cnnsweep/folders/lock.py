"""Locks folders: for one process at a time, or for several that share one.

By ``flock``, which the kernel releases however the process ends, SIGKILL included.
"""

import contextlib
import errno
import fcntl
import os
import shutil
import socket
import time
from collections.abc import Callable, Iterator
from itertools import chain, count
from pathlib import Path
from typing import IO, Any

from cnnsweep.errors import UserError

LOCK_NAME = ".lock"
_DRAFT = ".new"
_DRAFT_SECONDS = 600.0
_TAKEN = (errno.ENOTEMPTY, errno.EEXIST, errno.ENOTDIR)  # every folder in use holds its lock
_held: dict[Path, IO[str]] = {}


def acquire(folder: Path, *, shared: bool = False) -> None:
    """Take the folder for this process until it ends; again is harmless.

    ``shared``: others that share it may have it too.

    Raises:
        UserError: another process has it; the line names that process.
    """
    path = folder.resolve() / LOCK_NAME
    if path in _held:
        return
    file = path.open("a+", encoding="utf-8")
    if not try_lock(file, fcntl.LOCK_SH if shared else fcntl.LOCK_EX):
        file.close()
        raise _busy(folder)
    file.truncate(0)
    file.write(f"process {os.getpid()} on {socket.gethostname()}")
    file.flush()
    _held[path] = file


def refuse_busy(folder: Path, *, shared: bool = False) -> None:
    """Raise UserError as :func:`acquire` would, without making or changing anything."""
    path = folder.resolve() / LOCK_NAME
    if path in _held or not path.exists():
        return
    with path.open("r+", encoding="utf-8") as file:
        if not try_lock(file, fcntl.LOCK_SH if shared else fcntl.LOCK_EX):
            raise _busy(folder)


def _busy(folder: Path) -> UserError:
    return UserError(f"{folder} is being worked on by {holder(folder)}; wait for it or end it")


def free_name(folder: Path) -> Path:
    """The path that :func:`make_new` would give a new folder now."""
    others = (folder.with_name(f"{folder.name}_{suffix}") for suffix in count(2))
    return next(path for path in chain([folder], others) if not path.exists())


def make_new(folder: Path, fill: Callable[[Path], None]) -> Path:
    """Make and take a new folder that appears with what ``fill`` writes; its path.

    It gets a suffix where the name is taken: processes that want one at once get one each.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    _remove_drafts(folder.parent)
    draft, made = folder.with_name(f".{folder.name}.{os.getpid()}{_DRAFT}"), folder
    draft.mkdir()
    acquire(draft)
    lock = draft.resolve() / LOCK_NAME
    try:
        fill(draft)
        for suffix in count(2):
            try:
                draft.rename(made)
                break
            except OSError as error:
                if error.errno not in _TAKEN:
                    raise
                made = folder.with_name(f"{folder.name}_{suffix}")
    except BaseException:
        _held.pop(lock).close()
        shutil.rmtree(draft, ignore_errors=True)
        raise
    _held[made.resolve() / LOCK_NAME] = _held.pop(lock)
    return made


def _remove_drafts(parent: Path) -> None:
    """Remove what processes left that were killed while they made a folder."""
    for draft in parent.glob(f".*{_DRAFT}"):
        with contextlib.suppress(FileNotFoundError):
            if time.time() - draft.stat().st_mtime > _DRAFT_SECONDS:
                shutil.rmtree(draft, ignore_errors=True)


def is_held_here(folder: Path) -> bool:
    """Whether this process has the folder."""
    return folder.resolve() / LOCK_NAME in _held


def first_held() -> Path | None:
    """The folder that this process took first: the one of its command."""
    return next((path.parent for path in _held), None)


def is_held_elsewhere(folder: Path) -> bool:
    """Whether another process works in the folder now; it may share it with this one."""
    path = folder.resolve() / LOCK_NAME
    if not path.exists():
        return False
    with contextlib.ExitStack() as stack:
        file = _held.get(path) or stack.enter_context(path.open("r+", encoding="utf-8"))
        return not try_lock(file)


def holder(folder: Path) -> str:
    """The process that took the folder last, in words."""
    try:
        text = (folder / LOCK_NAME).read_text(encoding="utf-8")
    except FileNotFoundError:
        text = ""
    return text.strip() or "another process"


def take_from_the_dead(folder: Path) -> None:
    """Remove the lock of a process that will never act again, though it may still exist."""
    (folder / LOCK_NAME).unlink(missing_ok=True)


def try_lock(file: IO[Any], kind: int = fcntl.LOCK_EX) -> bool:
    """Whether an open file could be locked without waiting; closing it lets go of the lock."""
    try:
        fcntl.flock(file, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


@contextlib.contextmanager
def held(folder: Path) -> Iterator[None]:
    """Hold the folder for the length of a block, unless this process holds it already."""
    nested = is_held_here(folder)
    acquire(folder)
    try:
        yield
    finally:
        if not nested:
            _held.pop(folder.resolve() / LOCK_NAME).close()
