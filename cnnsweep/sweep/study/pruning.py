"""What becomes of a trial after each epoch: it goes on, is pruned for good, or pauses."""

import math
from collections.abc import Callable
from typing import Any, Protocol

from hydra.utils import instantiate
from omegaconf import DictConfig
from optuna.pruners import BasePruner, NopPruner, WilcoxonPruner
from optuna.samplers import RandomSampler
from optuna.storages import BaseStorage
from optuna.study import Study, create_study
from optuna.trial import TrialState, create_trial

from cnnsweep.config.allowed_targets import allowed_targets
from cnnsweep.metric_names import Direction
from cnnsweep.sweep.freeze_thaw.paused import is_paused
from cnnsweep.sweep.freeze_thaw.pruner import FreezeThaw
from cnnsweep.sweep.freeze_thaw.rule import BEGIN, Step, Thaw
from cnnsweep.sweep.freeze_thaw.schedule import Schedule
from cnnsweep.sweep.freeze_thaw.steps import Steps
from cnnsweep.sweep.journal.storage_view import StorageView
from cnnsweep.sweep.journal.theirs import compared_with
from cnnsweep.sweep.spec.messages import Answer, Job
from cnnsweep.sweep.spec.objectives import means
from cnnsweep.sweep.spec.optuna_internals import get_trial, storage_of, trial_id, with_storage
from cnnsweep.sweep.spec.plan import Plan
from cnnsweep.sweep.spec.run_keys import EPOCHS
from cnnsweep.sweep.spec.settings import Settings, naming_keys

VERDICT = "verdict"
_MOST_STEPS, _MOST_TRIALS = 200, 30  # of a rehearsal; a pruner is taken to act in more steps
_REHEARSALS = 20  # hopeless trials: Hyperband sorts them into brackets, some of which are patient
_HOPELESS = 1e9
# What was chosen, what only pauses, and one that takes seconds for its tests.
_UNTRIED = (NopPruner, FreezeThaw, WilcoxonPruner)


def make_pruner(config: DictConfig, seeds: int) -> BasePruner:
    """The configured pruner; of several seeds its steps are seeds, and epochs no warm-up then."""
    changes: Any = {"n_warmup_steps": 0} if seeds > 1 and "n_warmup_steps" in config else {}
    with naming_keys("pruner", config):
        pruner = instantiate(config, **changes, _execution_whitelist_=allowed_targets())
    assert isinstance(pruner, BasePruner)
    return pruner


class TrialScheduler(Protocol):
    """Says what free workers do, and whether a trial goes on after an epoch."""

    asks_each_epoch: bool  # whether runs wait after each epoch to be told

    def next_step(self) -> Step:
        """For a worker that is free: begin a trial, where one may be begun, or thaw one."""

    def begin(self, number: int, after: int = 0) -> None:
        """A trial is begun or goes on; it trains at least one epoch more than ``after``."""

    def forget(self, number: int) -> None:
        """A trial is paused, over, or not ours."""

    def run_completed(self, job: Job) -> None:
        """A run has come to its end, perhaps before its last epoch."""

    def report(self, job: Job, epoch: int, value: float, *, is_known: bool = False) -> Answer:
        """Store an epoch's value; whether its run goes on. ``is_known`` as for Epoch."""

    def next_seed(self, number: int) -> int | None:
        """Of a trial one of whose runs was paused, the seed that trains next; None: none does."""

    def is_losing(self, number: int, parts: list[list[float]]) -> bool:
        """Whether a trial with these values of its first seeds is not worth another one."""


def make_scheduler(
    study: Study,
    plan: Plan,
    seeds: int,
    unbegun: Callable[[], int],
    time_left: Callable[[], float],
) -> TrialScheduler:
    """What the study's pruner stands for; ``unbegun`` and ``time_left`` as for Schedule."""
    if len(plan.objectives) > 1:
        return Unpruned()
    if not isinstance(study.pruner, FreezeThaw):
        return StudyPruner(study, asks_each_epoch=seeds == 1, time_left=time_left)
    schedule = Schedule(
        study, study.pruner.terms, plan.epochs, plan.most_epochs, unbegun, time_left, seeds
    )
    return Steps(study, schedule, seeds)


class Unpruned:
    """Every trial is trained to its end, with all its seeds."""

    asks_each_epoch = False

    def next_step(self) -> Step:
        return BEGIN

    def begin(self, number: int, after: int = 0) -> None:  # noqa: ARG002
        return

    def forget(self, number: int) -> None:  # noqa: ARG002
        return

    def run_completed(self, job: Job) -> None:  # noqa: ARG002
        return

    def report(self, job: Job, epoch: int, value: float, *, is_known: bool = False) -> Answer:  # noqa: ARG002
        return "go_on"

    def next_seed(self, number: int) -> int | None:  # noqa: ARG002
        return None

    def is_losing(self, number: int, parts: list[list[float]]) -> bool:  # noqa: ARG002
        return False


class StudyPruner(Unpruned):
    """Stores metrics as they are reported, and asks the study's pruner, of our trials alone.

    Its answer for a step is the same however often it is asked.
    """

    def __init__(
        self,
        study: Study,
        *,
        asks_each_epoch: bool = True,
        time_left: Callable[[], float] = lambda: math.inf,
    ) -> None:
        self.asks_each_epoch = asks_each_epoch
        self._study = study
        self._time_left = time_left
        # Hyperband sorts trials into brackets, for its sampler too, once it was asked.
        study.pruner.prune(study, create_trial(state=TrialState.RUNNING))

    def next_step(self) -> Step:
        """Trials that an earlier launch with another pruner left paused go on before new ones."""
        running = self._study.get_trials(deepcopy=False, states=(TrialState.RUNNING,))
        paused = [t.number for t in running if is_paused(t)] if self._time_left() > 0 else []
        return Thaw(paused[0]) if paused else BEGIN

    def report(self, job: Job, epoch: int, value: float, *, is_known: bool = False) -> Answer:  # noqa: ARG002
        assert job.trial is not None
        return "prune" if self.should_prune(job.trial, epoch, value) else "go_on"

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
        """The step is the number of seeds spent.

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
        notes = _Notes(storage_of(compared_with(self._study)))
        study = with_storage(self._study, notes)
        prunes = study.pruner.prune(study, storage.get_trial(key))
        verdict = {"step": step, "goes_on": not prunes, "attributes": notes.attributes}
        if notes.attributes:
            storage.set_trial_user_attr(key, VERDICT, verdict)
        return verdict


class _Notes(StorageView):
    """A storage that keeps the attributes written to it to itself."""

    def __init__(self, storage: BaseStorage) -> None:
        super().__init__(storage)
        self.attributes: dict[str, Any] = {}

    def set_trial_system_attr(self, _trial_id: int, key: str, value: Any) -> None:
        self.attributes[key] = value


def note_on_idle_pruner(plan: Plan, settings: Settings) -> str | None:
    """A line where the search's pruner cannot end any of its trials early; else None."""
    steps = plan.keys.get(EPOCHS) if settings.seeds == 1 else settings.seeds
    # Several objectives are not pruned anyway, and another app's steps are its own.
    is_left_out = len(plan.objectives) > 1 or not plan.is_ours
    if is_left_out or not isinstance(steps, int) or EPOCHS in plan.space.distributions:
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
