"""Among which trials of a search its winner is chosen, and how many they are, in words."""

from collections import Counter

from optuna.study import Study
from optuna.trial import FrozenTrial, TrialState

from cnnsweep.sweep.freeze_thaw.paused import is_paused
from cnnsweep.sweep.journal.theirs import ours

_PAUSED = "paused"
_ENDS = {
    TrialState.COMPLETE: "completed", TrialState.PRUNED: "pruned",
    TrialState.RUNNING: "not over", TrialState.FAIL: "failed",
}  # fmt: skip


def is_tried(trial: FrozenTrial) -> bool:
    """Whether the winner was chosen over a trial, by its final value or by those it had so far."""
    if trial.state in (TrialState.PRUNED, TrialState.RUNNING):
        return bool(trial.intermediate_values)
    return trial.state is TrialState.COMPLETE


def counted_trials(study: Study) -> str:
    """``19 trials: 8 completed, 11 paused; 1 failed``: those it is chosen among, and the others."""
    trials = [t for t in ours(study).get_trials(deepcopy=False) if t.state in _ENDS]
    tried = [trial for trial in trials if is_tried(trial)]
    is_over = [t for t in trials if t.state.is_finished() and not is_tried(t)]
    counted = f"{len(tried)} trial{'' if len(tried) == 1 else 's'}"
    if any(trial.state is not TrialState.COMPLETE for trial in tried):
        counted += f": {_in_words(tried)}"
    return f"{counted}; {_in_words(is_over)}" if is_over else counted


def _in_words(trials: list[FrozenTrial]) -> str:
    ends = Counter(_PAUSED if is_paused(trial) else _ENDS[trial.state] for trial in trials)
    return ", ".join(f"{ends[end]} {end}" for end in (*_ENDS.values(), _PAUSED) if ends[end])
