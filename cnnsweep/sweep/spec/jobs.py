"""The runs of a search as jobs for workers."""

from pathlib import Path

from optuna.trial import FrozenTrial

from cnnsweep.folders.sweep_folder import SweepFolder
from cnnsweep.sweep.spec.messages import Job
from cnnsweep.sweep.spec.plan import Plan
from cnnsweep.sweep.spec.run_keys import SEED

SEEDS_OF_A_SEARCH = 1000  # those of its trials' runs first, then those of its confirmation runs


def trial_job(
    plan: Plan,
    search_index: int,
    trial: FrozenTrial,
    seed_index: int,
    seeds: int,
    is_prunable: bool = False,
) -> Job:
    """Run number ``seed_index`` of a trial of ``seeds`` seeds, counted from 0."""
    params = plan.params(trial)
    overrides = plan.overrides(params, test=False, pictures=False)
    if seeds > 1 or (plan.search_number and SEED not in params and _has_seed(plan)):
        overrides += (f"{SEED}={first_seed(plan) + seed_index}",)
    folder = str(_below(plan).run(trial.number, seed_index if seeds > 1 else None))
    return Job(search_index, trial.number, seed_index, folder, trial.number, overrides, is_prunable)


def confirm_job(
    plan: Plan, search_index: int, winner: FrozenTrial, seed_index: int, seeds: int
) -> Job:
    """Confirmation run ``seed_index``, with a seed that the search has not used."""
    seed = first_seed(plan) + seeds + seed_index
    overrides = (*plan.overrides(plan.params(winner), test=True, pictures=True), f"{SEED}={seed}")
    folder = str(_below(plan).confirmation(seed))
    return Job(search_index, None, seed_index, folder, winner.number, overrides, is_prunable=False)


def first_seed(plan: Plan) -> int:
    """The seed of runs with one seed: of several searches each has a thousand to itself."""
    return int(plan.keys.get(SEED)) + SEEDS_OF_A_SEARCH * (plan.search_number or 0)


def _has_seed(plan: Plan) -> bool:
    """Whether runs have a seed that is a number; another app's may have none."""
    return isinstance(plan.keys.get(SEED), int)


def _below(plan: Plan) -> SweepFolder:
    """The search's folder, relative to the sweep's."""
    return SweepFolder(Path(plan.subfolder))
