"""Where a search's trials come from: left behind by somebody, paused, or new."""

from collections.abc import Callable, Collection
from dataclasses import dataclass, field

from optuna.study import Study
from optuna.trial import FrozenTrial, TrialState

from cnnsweep.sweep.freeze_thaw.paused import is_paused
from cnnsweep.sweep.freeze_thaw.rule import BEGIN, Step, Thaw
from cnnsweep.sweep.journal.tried import number_of_begun
from cnnsweep.sweep.spec.optuna_internals import get_trial
from cnnsweep.sweep.spec.plan import FOLDER, Plan
from cnnsweep.sweep.study.ask import TrialSource
from cnnsweep.sweep.study.coordination import Coordination
from cnnsweep.sweep.study.pruning import TrialScheduler, make_scheduler

_STATES = {
    "done": TrialState.COMPLETE,
    "pruned": TrialState.PRUNED,
    "failed": TrialState.FAIL,
    "running": TrialState.RUNNING,
}


@dataclass
class Intake:
    """Finds the next trial to work on, in ``time_left()`` seconds."""

    study: Study
    plan: Plan
    seeds: int
    asker: TrialSource
    coordination: Coordination
    time_left: Callable[[], float]
    scheduler: TrialScheduler = field(init=False)

    def __post_init__(self) -> None:
        self.scheduler = make_scheduler(
            self.study, self.plan, self.seeds, self.unbegun, self.time_left
        )

    def unbegun(self) -> int:
        """How many trials may still be begun."""
        if self.asker.has_all_trials() or self.time_left() <= 0:
            return 0
        return max(1, self.asker.trials_in_all() - number_of_begun(self.study))

    def counts(self) -> dict[str, int]:
        """How many trials became what, and how many there will be."""
        trials = self.study.get_trials(deepcopy=False)
        states = [trial.state for trial in trials]
        counted = {word: states.count(state) for word, state in _STATES.items()}
        if paused := sum(map(is_paused, trials)):
            counted |= {"running": counted["running"] - paused, "paused": paused}
        return counted | {"of": self.asker.trials_in_all()}

    def has_more(self) -> bool:
        """Whether there is a trial to begin or to thaw."""
        return self._step() is not None

    def is_worth_a_turn(self, in_hand: Collection[int]) -> bool:
        """Whether to look for a trial; ``in_hand`` are the numbers of ours."""
        should_look = self.coordination.should_look(self.study, in_hand)
        return should_look or self.has_more()

    def find(self, in_hand: Collection[int]) -> FrozenTrial | None:
        """A trial that was left behind, or else one to begin or to thaw; in our turn."""
        left = self.coordination.left_behind(self.study, self.plan.folder, in_hand)
        if left is not None:
            return self.again(left)
        step = self._step()
        if isinstance(step, Thaw):
            return get_trial(self.study, step.number)
        return self.asker.ask() if step == BEGIN else None

    def again(self, left: FrozenTrial) -> FrozenTrial:
        """A trial that was left behind, perhaps while it was asked for."""
        return left if FOLDER in left.user_attrs else self.asker.ask_again(left)

    def _step(self) -> Step:
        step = self.scheduler.next_step()
        return None if step == BEGIN and not self.unbegun() else step
