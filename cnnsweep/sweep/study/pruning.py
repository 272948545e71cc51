"""Asking the pruner: its answer for a step is the same however often it is asked."""

from typing import Any

from hydra.utils import instantiate
from omegaconf import DictConfig
from optuna.pruners import BasePruner
from optuna.storages import BaseStorage
from optuna.study import Study
from optuna.trial import TrialState, create_trial

from cnnsweep.config.allowed_targets import allowed_targets
from cnnsweep.sweep.spec.optuna_internals import get_trial, storage_of, trial_id, with_storage

VERDICT = "verdict"


def make_pruner(config: DictConfig, seeds: int) -> BasePruner:
    """The configured pruner; with several seeds a trial its steps are seeds, not epochs.

    A warm-up that is counted in epochs has no meaning then.
    """
    changes: dict[str, Any] = (
        {"n_warmup_steps": 0} if seeds > 1 and "n_warmup_steps" in config else {}
    )
    pruner = instantiate(config, **changes, _execution_whitelist_=allowed_targets())
    assert isinstance(pruner, BasePruner)
    return pruner


class StudyPruner:
    """Stores metrics as they are reported, and asks the study's pruner."""

    def __init__(self, study: Study) -> None:
        self._study = study
        # Hyperband sorts trials into brackets, for its sampler too, once it was asked.
        study.pruner.prune(study, create_trial(state=TrialState.RUNNING))

    def should_prune(self, number: int, step: int, value: float) -> bool:
        """Report ``value`` at ``step`` and say whether to prune trial ``number``.

        A resumed trial reports its former steps once more: those were answered before, but for the
        last one, whose verdict is found again.
        """
        storage, trial = storage_of(self._study), get_trial(self._study, number)
        key = trial_id(trial)
        if trial.last_step is not None and step < trial.last_step:
            return False
        if step not in trial.intermediate_values:
            storage.set_trial_intermediate_value(key, step, value)
        verdict = trial.user_attrs.get(VERDICT)
        if verdict is None or verdict["step"] != step:
            verdict = self._ask_pruner(key, step)
        for name, attribute in verdict["attributes"].items():
            storage.set_trial_system_attr(key, name, attribute)
        return not verdict["goes_on"]

    def _ask_pruner(self, key: int, step: int) -> dict[str, Any]:
        """Ask the pruner.

        Successive halving notes a rung before it says whether the trial has passed it: asked
        again after a death in between, it would skip the rung. So what it notes is stored with
        its verdict, in one step, and only then put where it belongs.
        """
        storage = storage_of(self._study)
        notes = _Notes(storage)
        study = with_storage(self._study, notes)
        prunes = study.pruner.prune(study, storage.get_trial(key))
        verdict = {"step": step, "goes_on": not prunes, "attributes": notes.attributes}
        if notes.attributes:
            storage.set_trial_user_attr(key, VERDICT, verdict)
        return verdict


class _Notes:
    """A storage that keeps the attributes written to it to itself."""

    def __init__(self, storage: BaseStorage) -> None:
        self._storage = storage
        self.attributes: dict[str, Any] = {}

    def __getattr__(self, name: str) -> Any:
        return getattr(self._storage, name)

    def set_trial_system_attr(self, _trial_id: int, key: str, value: Any) -> None:
        self.attributes[key] = value
