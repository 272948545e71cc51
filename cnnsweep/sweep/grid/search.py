"""A grid's jobs as the trials of a study: which comes next, and what became of each."""

from contextlib import suppress
from dataclasses import dataclass, replace

from optuna.study import Study
from optuna.trial import FrozenTrial, TrialState

from cnnsweep.sweep.grid.ask import DONE, NUMBER, OVERRIDES, GridAsker
from cnnsweep.sweep.grid.longer import OtherEpochs
from cnnsweep.sweep.spec.messages import Job
from cnnsweep.sweep.spec.objectives import Unusable, as_values
from cnnsweep.sweep.spec.plan import FOLDER, Plan
from cnnsweep.sweep.study.search import Search

OBJECTIVE = "objective"


@dataclass(kw_only=True)
class GridSearch(Search):
    """As a search of one run a trial, whose trials were all chosen beforehand."""

    asker: GridAsker
    longer: OtherEpochs

    def counts(self) -> dict[str, int]:
        latest = self.asker.latest().values()
        ends = {"done": DONE, "failed": (TrialState.FAIL,)}
        counted = {
            word: sum(t.state in states and not self.asker.is_failed_before(t) for t in latest)
            for word, states in ends.items()
        }
        running = sum(trial.state is TrialState.RUNNING for trial in latest)
        return counted | {"running": running, "of": self.asker.trials_in_all()}

    def _complete(self, job: Job, returned: object) -> bool:
        """A job is over whatever it returned: one without a validation split has no objective."""
        if self.recorder.has_other_data(job):
            return True
        values = None
        if OBJECTIVE not in self.plan.swept:
            with suppress(Unusable):
                values = as_values(returned, len(self.plan.objectives))
        self.recorder.complete(job, values)
        return True

    def _job(self, trial: FrozenTrial, seed_index: int) -> Job:
        attributes = trial.user_attrs
        overrides = (*attributes[OVERRIDES], *self.plan.threads_override())
        folder, number = str(attributes[FOLDER]), int(attributes[NUMBER])
        return Job(self.search_index, trial.number, seed_index, folder, number, overrides, False)


def with_objective(plan: Plan, study: Study) -> Plan:
    """The plan, with the objective as one of the axes where the study was begun with another."""
    if [direction.name.lower() for direction in study.directions] == list(plan.directions):
        return plan
    return replace(plan, swept=plan.swept | {OBJECTIVE})
