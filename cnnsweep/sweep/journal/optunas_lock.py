"""Optuna's own lock of a journal, which its dashboard writes under: a link beside the journal."""

import contextlib
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cnnsweep.folders.lock import LOCK_NAME

LEFT_SECONDS = 30.0  # after which Optuna's own, too, take a link for one that was left behind
_OURS = Path()  # our links point to their folder, which exists wherever it is moved; theirs don't
_PAUSE_SECONDS = 0.005


@contextmanager
def dashboards_wait(journal: Path) -> Iterator[None]:
    """Whoever writes to the journal by Optuna's own means waits while the block runs.

    Enter it under the journal's lock: a link of ours that is there then was left by a process
    that was killed. Where a file system has no links, Optuna's means do not write either.
    """
    link = journal.with_name(f"{journal.name}{LOCK_NAME}")
    with contextlib.suppress(OSError):
        _take(link)
    try:
        yield
    finally:
        _remove_ours(link)


def _take(link: Path) -> None:
    """Optuna's own ``acquire`` never ends where the link of a killed process points nowhere."""
    _remove_ours(link)
    waited: tuple[int, float] | None = None  # for which link, since when
    while True:
        try:
            link.symlink_to(_OURS)
        except FileExistsError:
            with contextlib.suppress(FileNotFoundError):
                theirs = link.lstat().st_ino
                if waited is None or waited[0] != theirs:
                    waited = theirs, time.monotonic()
                elif time.monotonic() - waited[1] > LEFT_SECONDS:
                    link.unlink()
            time.sleep(_PAUSE_SECONDS)
        else:
            return


def _remove_ours(link: Path) -> None:
    with contextlib.suppress(OSError):
        if link.readlink() == _OURS:
            link.unlink()
