"""Locks folders: for one process at a time, or for several that share one.

By ``flock``, which the kernel releases however the process ends, SIGKILL included.
"""

import contextlib
import fcntl
import os
import socket
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import IO, Any

from cnnsweep.errors import UserError

LOCK_NAME = ".lock"
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
        file.seek(0)
        holder = file.read().strip() or "another process"
        file.close()
        raise UserError(f"{folder} is being worked on by {holder}; wait for it or end it")
    file.truncate(0)
    file.write(f"process {os.getpid()} on {socket.gethostname()}")
    file.flush()
    _held[path] = file


def claim(folder: Path, *, is_new: bool, shared: bool = False) -> Path:
    """Make the folder and take it; where its name is taken a new one gets a suffix.

    Processes that want a new folder of one name at once get one each.

    Raises:
        UserError: it is not to be new, and another process has it.
    """
    made = folder
    for suffix in count(2):
        try:
            made.mkdir(parents=True, exist_ok=not is_new)
            break
        except FileExistsError:
            if not is_new:  # a file
                raise
            made = folder.with_name(f"{folder.name}_{suffix}")
    acquire(made, shared=shared)
    return made


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
