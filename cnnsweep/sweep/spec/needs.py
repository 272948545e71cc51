"""What a sweep needs of its machine, looked at before anything is written: a disk, and data."""

import os
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from cnnsweep.config.launchers import runs_here
from cnnsweep.data.pictures.places import plainly_missing
from cnnsweep.errors import UserError
from cnnsweep.sweep.spec.compose import SweepContext

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


def refuse_missing_data(context: SweepContext, each: Iterable[Mapping[str, Any]]) -> None:
    """Refuse a sweep of which every run needs files that are plainly not there.

    ``each``: what the runs have as ``data``; of none nothing is known. Where only some runs do,
    those fail alone. Other machines may have other files.

    Raises:
        UserError: as the first run would.
    """
    if not context.is_our_task or not runs_here(context.config) or context.config.hydra.job.chdir:
        return
    first: UserError | None = None
    for data in each:
        if (error := plainly_missing(data)) is None:
            return
        first = first or error
    if first is not None:
        raise first
