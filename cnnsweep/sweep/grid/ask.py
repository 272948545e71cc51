"""Asking a grid for its next job."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from optuna.study import Study
from optuna.trial import FrozenTrial, TrialState

from cnnsweep.folders.run_folder import RunFolder
from cnnsweep.sweep.grid.numbering import GridJob
from cnnsweep.sweep.spec.optuna_internals import get_trial, storage_of, trial_id
from cnnsweep.sweep.spec.plan import FOLDER, SWEPT

NUMBER, OVERRIDES = "number", "overrides"  # trial attributes: a job's number and its overrides
DONE = (TrialState.COMPLETE, TrialState.PRUNED)  # the latter of jobs without an objective


@dataclass
class GridAsker:
    """Hands out the jobs of a grid in their order, each as a trial of the study.

    A job that failed in an earlier launch, or whose result is gone, is handed out once more, as
    another trial with the same folder. Call inside ``coordination.turn()``: other hosts may ask.
    """

    study: Study
    jobs: list[tuple[GridJob, str]]  # with the name of the folder of each
    failed_before: frozenset[int]  # trials that had failed, or lost, when this launch began

    @property
    def goes_through(self) -> bool:
        return True

    @property
    def takes_every_point(self) -> bool:
        return True

    def ask(self) -> FrozenTrial:
        """The next job as a new trial."""
        return self._filled(get_trial(self.study, self.study.ask().number))

    def ask_again(self, trial: FrozenTrial) -> FrozenTrial:
        """The next job as a trial that was asked for when a launch was killed."""
        return self._filled(trial)

    def trials_in_all(self) -> int:
        """How many jobs there are."""
        return len(self.jobs)

    def has_all_trials(self) -> bool:
        """Whether every job was handed out."""
        return next(self._waiting(), None) is None

    def is_gone_through(self) -> bool:
        return self.has_all_trials()

    def latest(self) -> dict[int, FrozenTrial]:
        """The last trial of each job that was begun, by the job's number."""
        wanted = {job.number for job, _ in self.jobs}
        trials = [t for t in self.study.get_trials(deepcopy=False) if FOLDER in t.user_attrs]
        return {n: t for t in trials if (n := t.user_attrs[NUMBER]) in wanted}

    def is_failed_before(self, trial: FrozenTrial) -> bool:
        """Whether a trial is one that this launch tries again."""
        return trial.number in self.failed_before

    def _waiting(self) -> Iterator[tuple[GridJob, str]]:
        begun = self.latest()
        for job, folder in self.jobs:
            if job.number not in begun or self.is_failed_before(begun[job.number]):
                yield job, folder

    def _filled(self, stored: FrozenTrial) -> FrozenTrial:
        """The trial with the next job's attributes; without FOLDER where no job waits."""
        waiting = next(self._waiting(), None)
        if waiting is not None:
            job, folder = waiting
            attributes = {OVERRIDES: list(job.overrides), SWEPT: job.swept, NUMBER: job.number}
            for name, value in (*attributes.items(), (FOLDER, folder)):  # FOLDER last: it is whole
                storage_of(self.study).set_trial_user_attr(trial_id(stored), name, value)
        return get_trial(self.study, stored.number)


def failed(study: Study) -> frozenset[int]:
    """The trials of a study that have failed."""
    trials = study.get_trials(deepcopy=False, states=(TrialState.FAIL,))
    return frozenset(trial.number for trial in trials)


def lost(study: Study, root: Path, *, is_our_task: bool) -> dict[int, str]:
    """By trial, the folders below ``root`` of completed jobs whose result is no longer there.

    Of another app, which may write none, only a folder that is gone tells, or one without a result
    beside others that have one.
    """
    folders = {
        trial.number: str(trial.user_attrs[FOLDER])
        for trial in study.get_trials(deepcopy=False, states=DONE)
        if FOLDER in trial.user_attrs
    }
    runs = {n: RunFolder(root / name, is_ours=is_our_task) for n, name in folders.items()}
    having = {n for n, run in runs.items() if run.read_result() is not None}
    writes_results = is_our_task or bool(having)
    return {
        n: name
        for n, name in folders.items()
        if n not in having and (writes_results or not (root / name).exists())
    }
