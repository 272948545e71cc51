"""What an epoch of a run means for its trial: a step of its curve, and whether it goes on."""

from dataclasses import dataclass, field
from math import fsum

from optuna.study import Study

from cnnsweep.sweep.freeze_thaw.rule import Step
from cnnsweep.sweep.freeze_thaw.schedule import Schedule
from cnnsweep.sweep.spec.messages import Answer, Job
from cnnsweep.sweep.spec.optuna_internals import get_trial, storage_of, trial_id


@dataclass
class Steps:
    """Stores steps as they are trained, and says which runs go on.

    With several seeds a step is one epoch of each: runs take turns, and the step's value is their
    mean. A resumed run reports its former epochs once more, so nothing else is kept of them. A run
    that stopped early waits for no turn: its last value counts on, and the others go on alone.
    """

    study: Study
    schedule: Schedule
    seeds: int
    asks_each_epoch = True
    _values: dict[int, dict[int, dict[int, float]]] = field(default_factory=dict)
    _over: dict[int, set[int]] = field(default_factory=dict)  # the seeds whose runs are completed
    _owed: dict[int, int] = field(default_factory=dict)  # beyond which a thawed trial must get

    def next_step(self) -> Step:
        return self.schedule.next_step()

    def begin(self, number: int, after: int = 0) -> None:
        self._owed[number] = max(after, self._owed.get(number, 0))
        self.schedule.begun(number)

    def forget(self, number: int) -> None:
        self._values.pop(number, None)
        self._over.pop(number, None)
        self._owed.pop(number, None)

    def run_completed(self, job: Job) -> None:
        if job.trial is not None:
            self._over.setdefault(job.trial, set()).add(job.seed_index)

    def report(self, job: Job, epoch: int, value: float, *, is_known: bool = False) -> Answer:
        assert job.trial is not None
        trial = get_trial(self.study, job.trial)
        done, last = trial.last_step or 0, self.schedule.epochs(trial)
        runs = self._values.setdefault(job.trial, {})
        runs.setdefault(job.seed_index, {})[epoch] = value
        if epoch <= max(done - 1, self._owed.get(job.trial, 0)):
            return "go_on"
        if epoch > done:
            self.schedule.epoch_ended(job.trial)
            values = self._values_at(job.trial, epoch)
            if len(values) < self.seeds:
                return "go_on" if epoch >= last else "pause"
            storage = storage_of(self.study)
            storage.set_trial_intermediate_value(trial_id(trial), epoch, fsum(values) / self.seeds)
        if epoch >= last or (is_known and self.seeds == 1):
            return "go_on"
        goes_on = self.schedule.goes_on(job.trial)
        if goes_on:
            self._owed[job.trial] = epoch
        is_alone = len(self._going(job.trial)) == 1
        return "go_on" if goes_on and (is_alone or epoch == done) else "pause"

    def _going(self, number: int) -> list[int]:
        """The seeds of a trial whose runs are not known to be completed."""
        return [seed for seed in range(self.seeds) if seed not in self._over.get(number, ())]

    def _values_at(self, number: int, epoch: int) -> list[float]:
        over = self._over.get(number, ())
        runs = self._values[number].items()
        ends = {seed: max(known) if seed in over else epoch for seed, known in runs}
        return [known[at] for seed, known in runs if (at := min(epoch, ends[seed])) in known]

    def next_seed(self, number: int) -> int | None:
        if self.seeds == 1:
            return None
        done = get_trial(self.study, number).last_step or 0
        runs = self._values.get(number, {})
        going = self._going(number)
        behind = [seed for seed in going if max(runs.get(seed, ()), default=0) <= done]
        if len(behind) < len(going):
            return behind[0]
        if self._owed.get(number, 0) >= done or self.schedule.goes_on(number):
            self._owed[number] = done
            return going[0]
        return None

    def is_losing(self, number: int, parts: list[list[float]]) -> bool:  # noqa: ARG002
        return False  # its runs take turns, and are over together
