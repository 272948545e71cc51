"""Search spaces as functions."""

from omegaconf import DictConfig
from optuna.trial import Trial


def draw(_config: DictConfig, trial: Trial) -> None:
    """A momentum that depends on the learning rate."""
    trial.suggest_float("momentum", 0, 1 - trial.params["lr"])


def misspell_once(_config: DictConfig, trial: Trial) -> None:
    """Trial 1 gets a key that the config does not have."""
    trial.suggest_float("momentun" if trial.number == 1 else "momentum", 0, 1)


def draw_coarsely(_config: DictConfig, trial: Trial) -> None:
    """Two momenta for each learning rate."""
    trial.suggest_float("momentum", 0.1, 0.2, step=0.1)
