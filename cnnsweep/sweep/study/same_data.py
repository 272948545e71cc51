"""The data of a search: recorded at its first trials' ends, and compared with ever after."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from optuna.study import Study
from optuna.trial import FrozenTrial, TrialState

from cnnsweep.config.own_keys import DATA_KEYS
from cnnsweep.errors import UserError
from cnnsweep.folders.data_record import differences
from cnnsweep.folders.run_folder import RunFolder
from cnnsweep.folders.shared_files import read_data_files
from cnnsweep.sweep.freeze_thaw.paused import is_paused
from cnnsweep.sweep.spec.compose import SweepContext
from cnnsweep.sweep.spec.jobs import trial_job
from cnnsweep.sweep.spec.messages import Job
from cnnsweep.sweep.spec.optuna_internals import study_attributes
from cnnsweep.sweep.spec.plan import Plan
from cnnsweep.task.changed_data import DataCheck

DATA = "data"
_CHOOSING = ("data", "experiment")  # keys and groups of a space that may choose a data set


@dataclass
class SearchData:
    """What the trials of a study were trained on.

    The study keeps a fingerprint and the folder of the run that had it first, for each combination
    of the space's parameters that choose a data set: for one, where the space has none of those.
    """

    study: Study
    plan: Plan
    _known: dict[str, dict[str, Any]] = field(default_factory=dict)

    def other_data(self, trial: FrozenTrial, job: Job) -> str | None:
        """Record what a run of the trial was trained on; a line where others had other data."""
        run = RunFolder(self.plan.sweep / job.folder)
        now = (run.read_result() or {}).get(DATA) if self.plan.is_ours else None
        if now is None:  # another app's run, or one that ended before it read its data
            return None
        key = _key(self.plan.params(trial))
        if key not in self._known:
            self._known = dict(self.study.user_attrs.get(DATA) or {})
        if key not in self._known:
            known = self._known | {key: {"folder": job.folder, "fingerprint": now}}
            self.study.set_user_attr(DATA, known)  # may raise TryLater, to be called again
            self._known = known
        said = self._differences(self._known[key], now, job.folder)
        return f"its data are not those of {self._known[key]['folder']}: {said}" if said else None

    def known(self, trial: FrozenTrial) -> dict[str, Any] | None:
        """What a trial with its parameters is trained on; None where that is not recorded yet."""
        known = study_attributes(self.study).get(DATA) or {}
        recorded = known.get(_key(self.plan.params(trial)))
        return None if recorded is None else recorded["fingerprint"]

    def refuse_other_data(self, context: SweepContext, seeds: int) -> None:
        """Raise UserError where the data that this launch would use are not the recorded ones.

        Also where they cannot be read, unless every trial is over.
        """
        if not self.plan.is_ours:
            return
        check, trials = DataCheck(), self.study.get_trials(deepcopy=False)
        recorded = (self.study.user_attrs.get(DATA) or {}) | self._of_running_trials(trials, seeds)
        for key, record in recorded.items():
            params = self._params_of(key, trials)
            overrides = self.plan.overrides(params, test=False, pictures=False)
            config = context.compose(overrides, self.plan.subfolder or ".", 0)
            try:
                now, files = check.present(context.resolved(config))
            except UserError:
                if sum(trial.state.is_finished() for trial in trials) >= self.plan.n_trials:
                    continue
                raise
            folder = RunFolder(self.plan.sweep / record["folder"])
            before = {name: hash for name, _, hash in read_data_files(folder)}
            said = differences(record["fingerprint"], now, before, files)
            if said:
                raise UserError(
                    f"{self.plan.folder} was begun with other data, and its trials could not be "
                    f"compared: {'; '.join(said)}. Choose another hydra.sweep.dir, or put the "
                    "data back as they were"
                )

    def _params_of(self, key: str, trials: list[FrozenTrial]) -> dict[str, Any]:
        """Parameters that choose the same data; of a trial, since some may depend on others."""
        for trial in trials:
            if _key(params := self.plan.params(trial)) == key:
                return params
        return self.plan.space.first_corner(json.loads(key))

    def _differences(self, record: Mapping[str, Any], now: Mapping[str, Any], folder: str) -> str:
        files = (
            {name: hash for name, _, hash in read_data_files(RunFolder(self.plan.sweep / place))}
            for place in (record["folder"], folder)
        )
        return "; ".join(differences(record["fingerprint"], now, *files))

    def _of_running_trials(
        self, trials: list[FrozenTrial], seeds: int
    ) -> dict[str, dict[str, Any]]:
        """What trials that were left running have been trained on so far."""
        found: dict[str, dict[str, Any]] = {}
        for trial in trials:
            is_left = trial.state is TrialState.RUNNING and not is_paused(trial)
            for index in range(seeds if is_left else 0):
                job = trial_job(self.plan, 0, trial, index, seeds)
                run = RunFolder(self.plan.sweep / job.folder)
                if not run.last.exists():
                    continue
                from cnnsweep.session.same_data import recorded_data  # torch

                data = recorded_data(run)
                if data is not None:
                    found[_key(self.plan.params(trial))] = {
                        "folder": job.folder,
                        "fingerprint": data,
                    }
        return found


def _key(params: Mapping[str, Any]) -> str:
    return json.dumps({n: v for n, v in params.items() if _chooses(n)}, sort_keys=True, default=str)


def _chooses(name: str) -> bool:
    """Whether a parameter may make it other data."""
    path = name.lstrip("+").partition("@")[0].split(".")
    return path[0] in _CHOOSING and path[-1] not in DATA_KEYS
