"""Whether a run whose worker ended is run again, by how often that happened."""

from dataclasses import dataclass, field

from optuna.trial import FrozenTrial

from cnnsweep.sweep.spec.messages import Finished, Job
from cnnsweep.sweep.study.tell import DEATHS, Recorder

MOST_LOSSES = 10  # of a run's worker with its machine, without an epoch between


@dataclass
class Retries:
    """Deaths are stored in the study, losses only counted; ``allowed`` is the number of retries."""

    recorder: Recorder
    allowed: int
    _epochs: dict[str, int] = field(default_factory=dict)  # the last one of each run
    _losses: dict[str, int] = field(default_factory=dict)  # of each run since then
    _deaths: dict[str, int] = field(default_factory=dict)  # of each run, about to be stored

    def forget(self) -> None:
        """Forget deaths that were not stored: the trials may be another host's."""
        self._deaths.clear()

    def epoch_ended(self, job: Job, number: int) -> None:
        """A new epoch ends a row of losses; a resumed run reports its former epochs too."""
        if number > self._epochs.get(job.folder, 0):
            self._epochs[job.folder] = number
            self._losses.pop(job.folder, None)

    def may_be_lost(self, job: Job) -> bool:
        """Whether a run may lose its worker once more without being told failed."""
        return self._losses.get(job.folder, 0) + 1 < MOST_LOSSES

    def loss_error(self, job: Job, message: Finished) -> str:
        """Why a run that was lost too often is told failed."""
        times = self._losses.get(job.folder, 0) + 1
        return f"{message.error} ({times} times without an epoch between)"

    def count_loss(self, job: Job) -> None:
        """Called when a loss has been handled, so that one handled again counts once."""
        self._losses[job.folder] = self._losses.get(job.folder, 0) + 1

    def count_death(self, job: Job, message: Finished) -> bool:
        """Whether a run is tried again after a death, which is then stored; may be called again."""
        deaths = self._deaths.setdefault(job.folder, self.recorder.deaths(job) + 1)
        may = deaths <= self.allowed
        if may:
            self.recorder.count_death(job, deaths, str(message.error))
        self._deaths.pop(job.folder)
        return may

    def are_spent(self, trial: FrozenTrial) -> bool:
        """Whether a trial that was left running has died too often to be resumed."""
        return bool(trial.user_attrs.get(DEATHS, 0) > self.allowed)
