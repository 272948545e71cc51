"""What can be said about a sweep before its first trial."""

import os
import shutil
from pathlib import Path

from hydra.errors import HydraException

from cnnsweep import task as our
from cnnsweep.bad_input import BadInput
from cnnsweep.checks import check
from cnnsweep.sweep.judging import make_pruner
from cnnsweep.sweep.master import Master
from cnnsweep.sweep.plan import Plan
from cnnsweep.sweep.sampling import sampler_for
from cnnsweep.sweep.settings import Settings
from cnnsweep.sweep.words import plainly

LEAST_FREE = 50 * 2**20  # bytes: the study, a few logs and checkpoints


def check_sweep(master: Master, settings: Settings, plans: list[Plan]) -> None:
    """Refuse a sweep that could only fail.

    Raises:
        BadInput: with the parameter, value and reason.
    """
    make_pruner(settings.pruner, settings.seeds)
    for plan in plans:
        sampler_for(settings.sampler, plan.seed, 0, plan.space.distributions)
        if settings.seeds > 1 or settings.confirm > 0:
            _check_seeds(plan)
        if settings.confirm > 0 and len(plan.objectives) > 1:
            raise BadInput(
                f"hydra.sweeper.confirm={settings.confirm} needs one objective to choose a winner "
                f"by, not {len(plan.objectives)}; allowed: 0"
            )
        for corner in plan.space.corners():
            _check_corner(master, plan, corner)
    _check_disk(master.folder)


def _check_seeds(plan: Plan) -> None:
    if "seed" in plan.space.distributions:
        raise BadInput("seed cannot be searched over with hydra.sweeper.seeds or confirm")
    if "seed" not in plan.config:
        raise BadInput("hydra.sweeper.seeds and confirm need a config key `seed`")


def _check_corner(master: Master, plan: Plan, corner: dict[str, object]) -> None:
    overrides = plan.overrides(corner, test=False, pictures=False)
    said = ", ".join(f"{name}={value}" for name, value in corner.items())
    try:
        config = master.compose(overrides, f"{plan.place}/0" if plan.place else "0", 0)
        if master.task is our.task:
            check(master.resolved(config))
    except (HydraException, BadInput) as error:
        raise BadInput(f"{plainly(error)} (in the space at {said})") from error


def _check_disk(folder: Path) -> None:
    existing = next(place for place in (folder, *folder.parents) if place.exists())
    if not os.access(existing, os.W_OK):
        raise BadInput(f"hydra.sweep.dir={folder} cannot be written: no permission for {existing}")
    free = shutil.disk_usage(existing).free
    if free < LEAST_FREE:
        raise BadInput(
            f"hydra.sweep.dir={folder}: {free // 2**20} MiB are free on its disk, and a sweep needs "
            f"{LEAST_FREE // 2**20} MiB or more"
        )
