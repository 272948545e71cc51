"""The disk of a sweep folder, looked at before anything is written."""

import os
import shutil
from pathlib import Path

from cnnsweep.errors import UserError

LEAST_FREE = 50 * 2**20  # bytes: the study, a few logs and checkpoints


def check_disk(folder: Path) -> None:
    """Raise UserError where a sweep folder cannot be written, or its disk is full."""
    existing = next(place for place in (folder, *folder.parents) if place.exists())
    if not os.access(existing, os.W_OK):
        raise UserError(f"hydra.sweep.dir={folder} cannot be written: no permission for {existing}")
    free = shutil.disk_usage(existing).free
    if free < LEAST_FREE:
        raise UserError(
            f"hydra.sweep.dir={folder}: its disk has {free // 2**20} MiB free, and a sweep needs "
            f"{LEAST_FREE // 2**20} or more"
        )
