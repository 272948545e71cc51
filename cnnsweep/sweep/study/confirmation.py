"""Confirmation: the best configuration trained with fresh seeds, evaluated on the test split."""

from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from optuna.study import Study
from optuna.trial import FrozenTrial, TrialState

from cnnsweep.folders.sweep_folder import CONFIRM, FORMER_CONFIRM
from cnnsweep.sweep.journal.theirs import ours
from cnnsweep.sweep.spec.formatting import format_mean, format_value
from cnnsweep.sweep.spec.jobs import confirm_job
from cnnsweep.sweep.spec.messages import Finished, Job
from cnnsweep.sweep.spec.plan import Plan
from cnnsweep.sweep.study.tell import Recorder
from cnnsweep.sweep.study.trial_results import write_failure

CONFIRMED = "confirmed"  # the study attribute that says which trial confirm/ belongs to


@dataclass
class Confirmation:
    """The runs after a search; ``wanted`` of them, 0 for none."""

    search_index: int
    plan: Plan
    study: Study
    recorder: Recorder
    wanted: int
    seeds: int
    _jobs: deque[Job] | None = None
    _open: set[str] = field(default_factory=set)
    failed: dict[str, str] = field(default_factory=dict)  # the errors, by run folder in the sweep's

    def next_job(self) -> Job | None:
        """The next run; asked for once the search is over."""
        if self._jobs is None:
            self._jobs = deque(self._plan_jobs())
        if not self._jobs:
            return None
        job = self._jobs.popleft()
        self._open.add(job.folder)
        return job

    def forget(self) -> None:
        """Forget all runs: another launch may do them."""
        self._jobs = None
        self._open.clear()
        self.failed.clear()

    def is_done(self) -> bool:
        """Whether all runs are over, or none is wanted."""
        nothing = self.wanted == 0 or winner(self.study) is None
        return nothing or (self._jobs is not None and not self._jobs and not self._open)

    def is_of_the_winner(self) -> bool:
        """Whether the last runs were those of the best trial by now, or none is wanted."""
        best = winner(self.study) if self.wanted else None
        return best is None or self.study.user_attrs.get(CONFIRMED) == best.number

    def finished(self, job: Job, message: Finished) -> None:
        """A confirmation run is over, completed or not."""
        self._open.discard(job.folder)
        folder = self.plan.sweep / job.folder
        if message.reason == "completed":
            name, reached = self._figure(self.plan.run(folder).read_result() or {})
            said = "unknown" if reached is None else format_value(reached)
            self.recorder.confirmed(job, f"{name} {said}")
            return
        error = str(message.error)
        if not message.is_others_folder:
            write_failure(self.plan.run(folder), error, {}, anew=False)
        self.failed[job.folder] = error
        self.recorder.confirmed(job, f"failed: {error}; its folder: {folder}")

    def test_metrics(self) -> list[float]:
        """What the completed runs reached on the test split; another app's: what it measures."""
        return [v for r in self._completed() if (v := self._figure(r)[1]) is not None]

    def metric(self) -> str:
        """The name of what these are."""
        return self._figure(next(self._completed(), {}))[0]

    def _completed(self) -> Iterator[dict[str, Any]]:
        """The results of the runs that were completed."""
        results = (self.plan.run(run).read_result() for run in sorted(self._folder().glob("*")))
        return (r for r in results if r is not None and r.get("status") == "completed")

    def _figure(self, result: Mapping[str, Any]) -> tuple[str, float | None]:
        objective = self.plan.objectives[0]
        metric = metric_on_test(objective)
        if self.plan.is_ours or result.get(metric) is not None:
            return metric, result.get(metric)
        return objective, result.get("objective")

    def _plan_jobs(self) -> list[Job]:
        best = winner(self.study)
        if best is None:
            return []
        self._set_aside_another(best.number)
        return [
            confirm_job(self.plan, self.search_index, best, k, self.seeds)
            for k in range(self.wanted)
        ]

    def _set_aside_another(self, number: int) -> None:
        """Keep the former winner's runs under another name where there is a better trial now."""
        before = self.study.user_attrs.get(CONFIRMED)
        if before is not None and before != number and self._folder().exists():
            self._folder().rename(self._folder().with_name(FORMER_CONFIRM.format(before)))
        self.study.set_user_attr(CONFIRMED, number)

    def _folder(self) -> Path:
        return self.plan.folder / CONFIRM


def winner(study: Study) -> FrozenTrial | None:
    """The best completed trial; None before the first, or where several objectives compete.

    Of equally good ones the first by number: storages differ in which they call the best. Trials
    that others ran are left out.
    """
    study = ours(study)
    completed = study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
    if not completed or len(study.directions) > 1:
        return None
    best = study.best_trial
    return next((trial for trial in completed if trial.value == best.value), best)


def metric_on_test(objective: str) -> str:
    """The test split's counterpart of a validation metric; accuracy for any other objective."""
    return "test_loss" if objective.endswith("_loss") else "test_accuracy"


def spread(values: list[float]) -> str:
    """``0.9886 ± 0.0009 (n = 5)``; ± as in :func:`format_mean`, n: how many runs."""
    return f"{format_mean(values)} (n = {len(values)})"
