"""A name for a folder that stays the same over all kills and launches."""

import contextlib
import fcntl
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

from cnnsweep.folders.run_folder import RunFolder, write_text_whole


def identity(folder: Path) -> str:
    """The folder's name for trackers, drawn at the first call; safe in many processes at once."""
    path = RunFolder(folder).tracker_id
    if not path.exists():
        with alone(folder, "id"):
            if not path.exists():
                write_text_whole(path, uuid4().hex[:16])
    return path.read_text(encoding="utf-8")


@contextlib.contextmanager
def alone(folder: Path, tracker: str) -> Iterator[None]:
    """Wait until no other process holds this tracker's lock of the folder, then hold it."""
    path = RunFolder(folder).tracker_lock(tracker)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
