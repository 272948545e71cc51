"""Asking the pruner: its answer for a step is the same however often it is asked."""

from typing import Any

from hydra.utils import instantiate
from omegaconf import DictConfig
from optuna.pruners import BasePruner, NopPruner, WilcoxonPruner
from optuna.samplers import RandomSampler
from optuna.storages import BaseStorage
from optuna.study import Study, create_study
from optuna.trial import TrialState, create_trial

from cnnsweep.config.allowed_targets import allowed_targets
from cnnsweep.metric_names import Direction
from cnnsweep.sweep.spec.optuna_internals import get_trial, storage_of, trial_id, with_storage
from cnnsweep.sweep.spec.plan import Plan
from cnnsweep.sweep.spec.settings import Settings
from cnnsweep.sweep.study.tell import means

VERDICT = "verdict"
_MOST_STEPS, _MOST_TRIALS = 200, 30  # of a rehearsal; a pruner is taken to act in more steps
_REHEARSALS = 20  # hopeless trials: Hyperband sorts them into brackets, some of which are patient
_HOPELESS = 1e9
_UNTRIED = (NopPruner, WilcoxonPruner)  # what was chosen; one that takes seconds for its tests


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

    def is_losing(self, number: int, parts: list[list[float]]) -> bool:
        """Whether a trial is not worth another seed; the step is the number of seeds spent.

        Pruners get the mean so far, but for Wilcoxon's, which compares trials seed by seed.
        """
        pairs = isinstance(self._study.pruner, WilcoxonPruner)
        value = parts[-1][0] if pairs else means(parts)[0]
        return self.should_prune(number, len(parts), value)

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


def note_on_idle_pruner(plan: Plan, settings: Settings) -> str | None:
    """A line where the search's pruner cannot end any of its trials early; else None."""
    epochs = plan.config.get("epochs")
    steps = epochs if settings.seeds == 1 else settings.seeds
    if not isinstance(steps, int) or "epochs" in plan.space.distributions:
        return None
    if len(plan.objectives) > 1:  # these are not pruned anyway
        return None
    pruner = make_pruner(settings.pruner, settings.seeds)
    if not never_prunes(pruner, steps, plan.n_trials, plan.directions[0]):
        return None
    unit = "epochs" if settings.seeds == 1 else "seeds"
    return (
        f"note: {type(pruner).__name__} cannot end a trial early in {steps} {unit} and "
        f"{plan.n_trials} trials: all are trained to their end (hydra.sweeper.pruner.* says when "
        "it begins; hydra/sweeper/pruner=none says the same without a note)"
    )


def never_prunes(pruner: BasePruner, steps: int, trials: int, direction: Direction) -> bool:
    """Whether a pruner ends no trial early, however bad, in so few steps and trials.

    It is asked about hopeless trials that come after good ones; a trial that ends at its last step
    spares nothing. ``steps`` are epochs, or seeds where a trial has several.
    """
    if isinstance(pruner, _UNTRIED) or steps > _MOST_STEPS:
        return False
    study = create_study(direction=direction, pruner=pruner, sampler=RandomSampler(seed=0))
    good = 1.0 if direction == "maximize" else -1.0
    for number in range(min(trials, _MOST_TRIALS) - 1):
        curve = [good * (number + step) for step in range(1, steps + 1)]
        _is_ended(study, curve, TrialState.COMPLETE)
    hopeless = [-good * _HOPELESS * step for step in range(1, steps + 1)]
    return not any(_is_ended(study, hopeless, TrialState.PRUNED) for _ in range(_REHEARSALS))


def _is_ended(study: Study, values: list[float], state: TrialState) -> bool:
    """Whether a trial that reports these values is ended before the last; it is told ``state``."""
    trial, verdicts = study.ask(), list[bool]()
    for step, value in enumerate(values, start=1):
        trial.report(value, step)
        verdicts.append(trial.should_prune())
    study.tell(trial, values[-1] if state is TrialState.COMPLETE else None, state=state)
    return any(verdicts[:-1])
