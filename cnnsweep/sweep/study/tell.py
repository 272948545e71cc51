"""Recording the end of trials: in their folders, in the study, on the terminal."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from optuna.study import Study
from optuna.trial import FrozenTrial, TrialState

from cnnsweep.folders.sweep_folder import OTHERS_FOLDER, SEED, seed_runs
from cnnsweep.sweep.freeze_thaw.paused import PAUSED, paused_at
from cnnsweep.sweep.journal.theirs import ERROR
from cnnsweep.sweep.spec.failure_policy import FailureWatch, NoWatch
from cnnsweep.sweep.spec.formatting import format_params, format_value
from cnnsweep.sweep.spec.messages import Finished, Job
from cnnsweep.sweep.spec.objectives import Unusable, as_values
from cnnsweep.sweep.spec.optuna_internals import (
    allow_stop,
    get_trial,
    storage_of,
    study_attributes,
    together,
    trial_id,
    was_stopped,
)
from cnnsweep.sweep.spec.plan import Plan
from cnnsweep.sweep.spec.space.values import typed_value
from cnnsweep.sweep.study import dashboard_notes
from cnnsweep.sweep.study.ask import EXHAUSTED
from cnnsweep.sweep.study.same_data import SearchData
from cnnsweep.sweep.study.trial_results import mark_pruned, recorded_end, write_failure, write_mean

DEATHS = "deaths"


class Recorder:
    """Writes a trial's outcome into its folder, then tells the study; nobody else does.

    ``say`` prints a line on the terminal.
    """

    def __init__(
        self,
        plan: Plan,
        study: Study,
        watch: FailureWatch | NoWatch,
        say: Callable[[str], None],
        log_name: str,
    ) -> None:
        self._plan = plan
        self._study = study
        self._watch = watch
        self.say = say
        self._log_name = log_name
        self._data = SearchData(study, plan)
        self._said: set[int] = set()  # trials of which it was said that they pause
        self._errors: dict[str, str] = {}  # those that were said, and of whom first
        allow_stop(study)
        dashboard_notes.introduce(study, plan)

    def trial(self, job: Job) -> FrozenTrial:
        """The trial of a job, as stored."""
        assert job.trial is not None
        return get_trial(self._study, job.trial)

    def has_other_data(self, job: Job) -> bool:
        """Tell a trial failed that was trained on other data than those before: not comparable."""
        line = self._data.other_data(self.trial(job), job)
        if line is not None:
            self.fail(job, Finished("failed", error=line, cause="other data"), anew=True)
        return line is not None

    def values(self, job: Job, returned: object) -> list[float] | None:
        """What a completed run returned; None where its trial failed by it."""
        if self.has_other_data(job):
            return None
        try:
            return as_values(returned, len(self._plan.objectives), is_named=self._plan.is_decided)
        except Unusable as error:
            self.fail(job, Finished("failed", error=str(error)), anew=True)
            return None

    def complete(self, job: Job, values: list[float] | None) -> None:
        """Tell the study the objectives of a trial.

        A grid's job may have none: the study then has it as pruned, since it takes no completed
        trial without a value.
        """
        self._record_mean(job, "completed", None)
        state = TrialState.PRUNED if values is None else TrialState.COMPLETE
        self._tell(job, state, values=values)
        params = format_params(self._plan.params(self.trial(job)))
        self._watch.succeeded()
        pairs = zip(self._plan.objectives, values or (), strict=False)
        metrics = ", ".join(f"{name} {format_value(value)}" for name, value in pairs)
        self.say(f"{self._name(job)}: {metrics or 'completed'}{f' ({params})' if params else ''}")

    def prune(self, job: Job) -> None:
        """Tell the study that a trial was pruned."""
        self._data.other_data(self.trial(job), job)  # the first run's are recorded
        self._record_mean(job, "pruned", None)
        self._tell(job, TrialState.PRUNED)
        self._watch.succeeded()
        trial, name = self.trial(job), self._name(job)
        params = format_params(self._plan.params(trial))
        self.say(f"{name}: pruned at step {trial.last_step} ({params})")

    def pause(self, job: Job) -> None:
        """Mark a trial as one that waits with its checkpoint; to the study it goes on."""
        trial = self.trial(job)
        self._record_mean(job, "paused", None)
        run = self._plan.sweep / job.folder
        with together(self._study):
            dashboard_notes.tell_of_pause(self._study, self._plan, trial, run)
            self._set(job, PAUSED, trial.last_step)
        self._watch.succeeded()
        if trial.number not in self._said:  # in this launch
            value = format_value(trial.intermediate_values[trial.last_step or 0])
            params = format_params(self._plan.params(trial))
            metric, name = self._plan.objectives[0], self._name(job)
            self.say(f"{name}: {metric} {value} after epoch {trial.last_step}, paused ({params})")
            self._said.add(trial.number)

    def thaw(self, trial: FrozenTrial) -> int:
        """Have a trial go on; the epochs that it has been trained, 0 where it was not paused."""
        trained = paused_at(trial)
        if trained is not None:
            storage_of(self._study).set_trial_user_attr(trial_id(trial), PAUSED, None)
        return trained or 0

    def drop(self, trial: FrozenTrial, *, why: str) -> None:
        """Tell the study that a paused trial is over."""
        place = self._plan.place(trial)
        for folder in (place, *seed_runs(place)):
            mark_pruned(self._plan.run(folder))
        with together(self._study):
            dashboard_notes.tell_of(self._study, self._plan, trial, place, (), None)
            self._study.tell(trial.number, state=TrialState.PRUNED)
        name = f"{self._plan.prefix}{self._plan.label(trial)}"
        self.say(f"{name}: pruned at step {trial.last_step}: {why}")

    def fail(self, job: Job, message: Finished, *, anew: bool = False) -> None:
        """Tell the study that a trial failed, by the last message on its job.

        ``anew``: also over an outcome that the run recorded.

        Raises:
            StoppedEarly: this failure ends the sweep.
        """
        folder, error = self._plan.sweep / job.folder, str(message.error)
        if message.is_others_folder:
            self._set(job, OTHERS_FOLDER, True)
        else:
            data, setting = self._data.known(self.trial(job)), self._setting(self.trial(job))
            write_failure(self._plan.run(folder), error, setting, anew=anew, data=data)
            self._record_mean(job, "failed", error)
        self._tell(job, TrialState.FAIL, error=error)
        stop = self._watch.failed(message.cause or error, error)
        params = format_params(self._plan.params(self.trial(job)))
        logs = (folder / self._log_name, Path(message.log or ""))
        known = next((f"; its log: {path}" for path in logs if path.is_file()), "")
        first = self._errors.setdefault(error, self._name(job))
        said = error if first == self._name(job) else f"as {first} did"
        self.say(f"{self._name(job)}: failed: {said}{known}{f' ({params})' if params else ''}")
        if stop is not None:
            raise stop

    def recorded_end(self, job: Job) -> Finished | None:
        """The end of a run that was completed, as its folder has it; else None."""
        return recorded_end(self._plan.run(self._plan.sweep / job.folder))

    def deaths(self, job: Job) -> int:
        """How often a job's worker has died while the launching process lived."""
        is_trial = job.trial is not None
        attributes = self.trial(job).user_attrs if is_trial else study_attributes(self._study)
        return int(attributes.get(_deaths_key(job), 0))

    def count_death(self, job: Job, deaths: int, error: str) -> None:
        """Store the number of ``deaths``, the last of them with this error."""
        self._set(job, _deaths_key(job), deaths)
        self.say(f"{self._name(job)}: {error}; resumes from its last epoch")

    def note_departure(self, job: Job, error: str) -> None:
        """A job's worker was preempted or lost; the job is resumed, and nothing is counted."""
        self.say(f"{self._name(job)}: {error}; resumes from its last epoch")

    def exhaust(self, number: int) -> None:
        """End the search for want of a new point; the trial, without a folder, fails."""
        error = "every point that the samplers find was tried"
        key = trial_id(get_trial(self._study, number))
        storage_of(self._study).set_trial_user_attr(key, ERROR, error)
        self._study.set_user_attr(EXHAUSTED, True)
        self._study.tell(number, state=TrialState.FAIL)
        self.say(f"{self._plan.prefix}trial {number}: {error}: the search ends")

    def confirmed(self, job: Job, line: str) -> None:
        """A confirmation run is over."""
        self.say(f"{self._name(job)}: {line}")

    def _tell(
        self,
        job: Job,
        state: TrialState,
        *,
        values: Sequence[float] | None = None,
        error: str | None = None,
    ) -> None:
        """Tell the study once, after the note: a trial that is over has both."""
        trial, run = self.trial(job), self._plan.sweep / job.folder
        with together(self._study):
            dashboard_notes.tell_of(self._study, self._plan, trial, run, values or (), error)
            if not trial.state.is_finished():  # else an earlier call's answer was lost
                if error is not None:
                    self._set(job, ERROR, error)
                self._study.tell(trial.number, values, state)
        if was_stopped(self._study) and EXHAUSTED not in study_attributes(self._study):
            self._study.set_user_attr(EXHAUSTED, True)

    def _record_mean(self, job: Job, status: str, error: str | None) -> None:
        folder = self._plan.sweep / job.folder
        if folder.name.startswith(SEED):
            trial = self._plan.run(folder.parent)
            write_mean(trial, status, [*map(self._plan.run, seed_runs(trial.path))], error)

    def _setting(self, trial: FrozenTrial) -> dict[str, Any]:
        drawn = self._plan.params(trial)
        setting = {
            key: typed_value(drawn[key]) if key in drawn else self._plan.keys.get(key)
            for key in ("seed", "device", "precision")
            if self._plan.is_ours and key in self._plan.config
        }
        return setting if self._plan.threads is None else setting | {"threads": self._plan.threads}

    def _set(self, job: Job, key: str, value: object) -> None:
        if job.trial is None:
            self._study.set_user_attr(key, value)
        else:
            storage_of(self._study).set_trial_user_attr(trial_id(self.trial(job)), key, value)

    def _name(self, job: Job) -> str:
        prefix = f"{self._plan.subfolder} " if self._plan.subfolder else ""
        if job.trial is None:
            return f"{prefix}{job.folder.removeprefix(f'{self._plan.subfolder}/')}"
        return f"{prefix}{self._plan.label(self.trial(job))}"


def _deaths_key(job: Job) -> str:
    return DEATHS if job.trial is not None else f"{DEATHS} {job.folder}"
