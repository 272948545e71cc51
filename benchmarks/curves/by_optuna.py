"""Optuna's own pruners, asked by real studies in memory."""

from collections.abc import Set

import optuna
from hydra.utils import instantiate
from omegaconf import OmegaConf
from optuna.study import Study
from optuna.trial import Trial, TrialState

from benchmarks.curves.clock import run
from benchmarks.curves.draw import Draw
from cnnsweep.config import CONF_DIR
from cnnsweep.config.allowed_targets import allowed_targets

PRUNERS = CONF_DIR / "hydra" / "sweeper" / "pruner"


def pruned(draw: Draw, name: str) -> None:
    """As the search does with ``hydra/sweeper/pruner=NAME``."""
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    keys = OmegaConf.load(PRUNERS / f"{name}.yaml")
    config = OmegaConf.create({"epochs": draw.epochs, "pruner": keys}).pruner
    pruner = instantiate(config, _execution_whitelist_=allowed_targets())
    sampler = optuna.samplers.RandomSampler(seed=0)
    study = optuna.create_study(
        study_name="cnnsweep", direction="maximize", pruner=pruner, sampler=sampler
    )  # Hyperband sorts trials by this name, too
    going: dict[int, Trial] = {}

    def choose(_: Draw, running: Set[int], current: int | None) -> int | None:
        for number in sorted(going.keys() - running):
            if _is_over(draw, number, study, going[number]):
                del going[number]
        if current in going:
            return current
        if not draw.unbegun:
            return None
        number = draw.begin()
        going[number] = study.ask()
        return number

    run(draw, choose)


def _is_over(draw: Draw, number: int, study: Study, trial: Trial) -> bool:
    """Report the epoch that has just ended, and tell the trial's end if it was its last."""
    trial.report(draw.values(number)[-1], step=draw.known[number])
    if not draw.is_over(number):
        if trial.should_prune():
            study.tell(trial, state=TrialState.PRUNED)
            return True
        return False
    if draw.is_whole(number):
        study.tell(trial, max(draw.values(number)))
    else:
        study.tell(trial, state=TrialState.FAIL)
    return True
