"""A name for a folder that stays the same over all kills and launches."""

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

FOLDER = ".trackers"


def identity(folder: Path) -> str:
    """The folder's name for trackers, drawn at the first call; safe in many processes at once."""
    path = folder / FOLDER / "id"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        drawn = uuid4().hex[:16]
        mine = path.with_name(f"id.{drawn}")
        mine.write_text(drawn, encoding="utf-8")
        with contextlib.suppress(FileExistsError):
            os.link(mine, path)  # whole or not at all, and the first one wins
        mine.unlink()
    return path.read_text(encoding="utf-8")


@contextlib.contextmanager
def alone(folder: Path, tracker: str) -> Iterator[None]:
    """Wait until no other process holds this tracker's lock of the folder, then hold it."""
    path = folder / FOLDER / f"{tracker}.lock"
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
