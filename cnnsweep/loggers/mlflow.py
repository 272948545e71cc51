"""MLflow: a run, below that of its sweep where it has one."""

import os
import time
from collections.abc import Mapping, Sequence
from http.client import HTTPException
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlsplit, urlunsplit
from urllib.request import urlopen

from cnnsweep.errors import UserError
from cnnsweep.folders.run_folder import CONFIG, PAUSED, RunFolder
from cnnsweep.loggers.base import Row, RunInfo, SweepInfo, alone, epoch_metrics, final_metrics, flat
from cnnsweep.redact import masked, masked_word

ID, STATUS, ERROR = "cnnsweep.id", "cnnsweep.status", "cnnsweep.error"
DATABASE, ARTIFACTS = "mlflow.db", "mlartifacts"
_PARAMS_AT_ONCE = 100  # more are refused
_LONGEST_PARAM = 6000
_REACH_SECONDS = 2.0
_SOURCE = {"mlflow.source.name": "cnnsweep", "mlflow.source.type": "LOCAL"}
_KIND = {"mlflow.experimentKind": "custom_model_development"}  # else its page shows LLM traces
_STATUSES = {"completed": "FINISHED", "failed": "FAILED"}  # else KILLED

# MLflow's telemetry needs a way to the internet, and nobody has agreed to it.
os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")


class MLflow:
    """Config as parameters, metrics by epoch, pictures and config as artifacts.

    A run is found again by its tag ``cnnsweep.id``. Epochs that the store has are not added again.
    The outcome is no ``result.json`` there, or a report would take the artifacts for a run folder.
    """

    def __init__(self, *, run: RunInfo, tracking_uri: str | None, experiment: str) -> None:
        self._run = run
        self._experiment = experiment
        typed = tracking_uri or os.environ.get("MLFLOW_TRACKING_URI")
        self._uri = typed or f"sqlite:///{run.root / DATABASE}"
        self._artifacts = None if typed else (run.root / ARTIFACTS).as_uri()
        if self._uri.startswith("http"):
            reach(self._uri, is_new=run.sweep is None)
        import mlflow

        self._mlflow = mlflow

    def started(self, history: Sequence[Row]) -> None:
        experiment = self._open()
        run = self._run
        tags = {} if run.sweep is None else self._sweep_tags(experiment, run.sweep)
        self._run_id = self._find(experiment, run.id) or self._make(experiment, run, tags)
        self._client.update_run(self._run_id, status="RUNNING")
        if ERROR in self._client.get_run(self._run_id).data.tags:  # of an earlier attempt
            self._client.delete_tag(self._run_id, ERROR)
        self._log_params()
        self._client.log_dict(self._run_id, dict(self._run.config), CONFIG)
        self._logged = self._steps()
        for row in history:
            self.epoch_ended(row)

    def epoch_ended(self, row: Row) -> None:
        step, metrics = epoch_metrics(row)
        self._log(metrics, step)

    def ended(self, result: Mapping[str, Any], folder: RunFolder) -> None:
        status = result["status"]
        if status in ("completed", "pruned"):  # others may be resumed, and get final metrics then
            self._log(final_metrics(result), int(result["epochs"]))
            self._client.log_dict(self._run_id, dict(result), "outcome.json")
        for picture in folder.pictures():
            self._client.log_artifact(self._run_id, str(picture))
        tags = {
            STATUS: status,
            ERROR: result["error"],
            "mlflow.source.git.commit": result["commit"],
        }
        for key, value in tags.items():
            if value is not None:
                self._client.set_tag(self._run_id, key, value)
        if status == PAUSED:  # it waits for its turn, and may go on
            self._client.update_run(self._run_id, status="SCHEDULED")
        else:
            self._client.set_terminated(self._run_id, _STATUSES.get(status, "KILLED"))

    def sweep_ended(self) -> None:
        run_id = self._find(self._open(), self._run.id)
        if run_id is not None and self._client.get_run(run_id).info.status == "RUNNING":
            self._client.set_terminated(run_id)

    def _log(self, values: Mapping[str, float], step: int) -> None:
        from mlflow.entities import Metric

        now = int(time.time() * 1000)
        missing = {k: v for k, v in values.items() if step not in self._logged.get(k, ())}
        metrics = [Metric(name, value, now, step) for name, value in missing.items()]
        if metrics:
            self._client.log_batch(self._run_id, metrics=metrics)

    def _steps(self) -> dict[str, set[int]]:
        """The epochs that the store has of each metric."""
        names = self._client.get_run(self._run_id).data.metrics
        return {
            name: {m.step for m in self._client.get_metric_history(self._run_id, name)}
            for name in names
        }

    def _log_params(self) -> None:
        from mlflow.entities import Param

        values = {k: v for k, v in flat(self._run.config).items() if not k.startswith("logger.")}
        if self._run.sweep is not None:
            values = {**self._run.sweep.parameters, **values}
        known = self._client.get_run(self._run_id).data.params  # which cannot be changed
        params = [
            Param(key.replace("@", " "), str(value)[:_LONGEST_PARAM])
            for key, value in values.items()
            if key not in known
        ]
        for first in range(0, len(params), _PARAMS_AT_ONCE):
            some = params[first : first + _PARAMS_AT_ONCE]
            self._client.log_batch(self._run_id, params=some)

    def _open(self) -> str:
        """The store and the experiment in it; its id. One process at a time makes a new store."""
        root, sweep = self._run.root, self._run.sweep
        place = self._run.folder if sweep is None else sweep.folder
        with alone(place if self._artifacts is None else root / ARTIFACTS, "mlflow-store"):
            self._client = self._mlflow.MlflowClient(tracking_uri=self._uri)
            return self._experiment_id()

    def _experiment_id(self) -> str:
        from mlflow.exceptions import MlflowException

        found = self._client.get_experiment_by_name(self._experiment)
        if found is None:
            try:
                return str(
                    self._client.create_experiment(
                        self._experiment, artifact_location=self._artifacts, tags=_KIND
                    )
                )
            except MlflowException:  # another run may have been quicker
                found = self._client.get_experiment_by_name(self._experiment)
                if found is None:
                    raise
        return str(found.experiment_id)

    def _sweep_tags(self, experiment: str, sweep: SweepInfo) -> dict[str, str]:
        """Tags of a sweep's run. The sweep's own run is made by the first that needs it."""
        with alone(sweep.folder, "mlflow-parent"):
            parent = self._find(experiment, sweep.id)
            if parent is None:
                parent = self._make(experiment, sweep, {})
        if self._client.get_run(parent).info.status != "RUNNING":  # its sweep is resumed
            self._client.update_run(parent, status="RUNNING")
        trial = {} if sweep.trial is None else {"cnnsweep.trial": str(sweep.trial)}
        return {"mlflow.parentRunId": parent, "cnnsweep.sweep": sweep.name, **trial}

    def _find(self, experiment: str, id_: str) -> str | None:
        found = self._client.search_runs([experiment], f"tags.`{ID}` = '{id_}'", max_results=1)
        return str(found[0].info.run_id) if found else None

    def _make(self, experiment: str, of: RunInfo | SweepInfo, more: Mapping[str, str]) -> str:
        tags = {ID: of.id, "cnnsweep.folder": str(of.folder), **_SOURCE, **more}
        created = self._client.create_run(experiment, run_name=of.name, tags=tags)
        return str(created.info.run_id)


def reach(uri: str, *, is_new: bool) -> None:
    """Ask a server whether it is there, since MLflow would retry for minutes.

    Raises:
        UserError: no answer, and it is a single run, whose command can be typed again.
        ConnectionError: no answer, and it is a sweep's run, which goes on without it.
    """
    try:
        with urlopen(_without_login(uri), timeout=_REACH_SECONDS):
            return
    except HTTPError:  # a server is there; whether it takes our login shows later
        return
    except OSError as error:
        why = masked(str(error), uri)
    except (HTTPException, ValueError) as error:  # which quote pieces of the address
        why = type(error).__name__
    host = masked_word(uri).partition("://")[2].rpartition("@")[2]
    raise (UserError if is_new else ConnectionError)(f"no MLflow server answers at {host}: {why}")


def _without_login(uri: str) -> str:
    """Where a server says how it is; urllib takes a name and a password for a part of the host."""
    parts = urlsplit(uri)
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit((parts.scheme, host, f"{parts.path.rstrip('/')}/health", "", ""))
