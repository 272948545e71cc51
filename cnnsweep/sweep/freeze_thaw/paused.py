"""What marks a paused trial: it is RUNNING in the study, and nobody trains it."""

from optuna.trial import FrozenTrial, TrialState

PAUSED = "paused"  # the trial attribute that names its last epoch; None while it goes on


def is_paused(trial: FrozenTrial) -> bool:
    """Whether a trial waits with a checkpoint of its last epoch."""
    return trial.state is TrialState.RUNNING and trial.user_attrs.get(PAUSED) is not None


def paused_at(trial: FrozenTrial) -> int | None:
    """The epoch after which a trial is paused; None for one that is not."""
    return int(trial.user_attrs[PAUSED]) if is_paused(trial) else None
