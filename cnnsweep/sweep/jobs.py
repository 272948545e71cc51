"""The runs of a search as jobs for workers."""

from optuna.trial import FrozenTrial

from cnnsweep.sweep.messages import Job
from cnnsweep.sweep.plan import Plan

CONFIRM = "confirm"


def trial_job(plan: Plan, owner: int, trial: FrozenTrial, part: int, seeds: int) -> Job:
    """Run number ``part`` of a trial of ``seeds`` seeds, counted from 0."""
    folder, changes = str(trial.number), {"test": False, "pictures": False}
    asks = len(plan.objectives) == 1 and seeds == 1
    overrides = plan.overrides(trial.params, **changes)
    if seeds > 1:
        folder = f"{folder}/seed_{part}"
        overrides += (f"seed={first_seed(plan) + part}",)
    return Job(owner, trial.number, part, _below(plan, folder), trial.number, overrides, asks)


def confirm_job(plan: Plan, owner: int, winner: FrozenTrial, part: int, seeds: int) -> Job:
    """Confirmation run ``part``, with a seed that the search has not used."""
    seed = first_seed(plan) + seeds + part
    overrides = (*plan.overrides(winner.params, test=True, pictures=True), f"seed={seed}")
    folder = _below(plan, f"{CONFIRM}/{seed}")
    return Job(owner, None, part, folder, winner.number, overrides, asks=False)


def first_seed(plan: Plan) -> int:
    """The seed of runs with one seed."""
    return int(plan.config.seed)


def _below(plan: Plan, folder: str) -> str:
    return f"{plan.place}/{folder}" if plan.place else folder
