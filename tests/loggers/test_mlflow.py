from pathlib import Path
from typing import Any

import pytest

from tests.command import TINY, cnnsweep, complaint_of, succeeded
from tests.loggers.conftest import EPOCHS, Tracked
from tests.loggers.tracker_readers import settled
from tests.run_files import metrics, result

pytestmark = [pytest.mark.trackers, pytest.mark.filterwarnings("ignore")]


class Store:
    """What MLflow's own client finds in a store."""

    def __init__(self, uri: str) -> None:
        mlflow = pytest.importorskip("mlflow", reason="needs the extra mlflow")
        self.client = mlflow.MlflowClient(tracking_uri=uri)

    def runs(self) -> dict[str, Any]:
        experiment = self.client.get_experiment_by_name("cnnsweep")
        runs = self.client.search_runs([experiment.experiment_id])
        assert len({run.info.run_name for run in runs}) == len(runs)
        return {run.info.run_name: run for run in runs}

    def steps(self, run: Any, name: str) -> list[tuple[int, float]]:
        history = self.client.get_metric_history(run.info.run_id, name)
        return sorted((metric.step, metric.value) for metric in history)


def store(root: Path) -> Store:
    return Store(f"sqlite:///{settled(root) / 'mlflow.db'}")


def assert_every_epoch_once(found: Store, run: Any, folder: Path) -> None:
    rows = metrics(folder)
    for name in ("train_loss", "val_accuracy", "learning_rate"):
        wanted = [(int(row["epoch"]), float(row[name])) for row in rows]
        assert found.steps(run, name) == wanted


def test_a_run_killed_four_times_is_one_run_with_every_epoch_once(killed_run: Tracked) -> None:
    found = store(killed_run.root)
    (run,) = found.runs().values()
    assert run.info.run_name == "run"
    assert run.info.status == "FINISHED"
    assert len(metrics(killed_run.root / "run")) == EPOCHS
    assert_every_epoch_once(found, run, killed_run.root / "run")
    outcome = result(killed_run.root / "run")
    assert run.data.metrics["final_test_accuracy"] == outcome["test_accuracy"]
    assert run.data.params["optim.lr"] == "0.05"
    assert run.data.tags["cnnsweep.status"] == "completed"
    artifacts = {artifact.path for artifact in found.client.list_artifacts(run.info.run_id)}
    assert artifacts >= {"config.yaml", "outcome.json", "curves.png", "confusion.png"}


def test_a_finished_run_started_again_adds_nothing(killed_run: Tracked) -> None:
    found = store(killed_run.root)
    before = {name: run.to_dictionary() for name, run in found.runs().items()}
    assert "already finished" in killed_run.again()
    assert {name: run.to_dictionary() for name, run in found.runs().items()} == before


def test_a_killed_sweep_is_one_parent_with_its_trials_below(killed_sweep: Tracked) -> None:
    found = store(killed_sweep.root)
    runs = found.runs()
    parent = runs.pop("sweep")
    assert parent.info.status == "FINISHED"
    assert set(runs) == {str(number) for number in range(6)}
    kinds = []
    for name, run in runs.items():
        tags, folder = run.data.tags, killed_sweep.root / "sweep" / name
        assert tags["mlflow.parentRunId"] == parent.info.run_id
        assert (tags["cnnsweep.trial"], tags["cnnsweep.folder"]) == (name, str(folder))
        status = result(folder)["status"]
        assert tags["cnnsweep.status"] == status
        ends = {"completed": "FINISHED", "pruned": "KILLED", "failed": "FAILED"}
        assert run.info.status == ends[status]
        assert ("cnnsweep.error" in tags) == (status == "failed")
        assert_every_epoch_once(found, run, folder)
        kinds.append((run.data.params["model.kind"], status))
    assert sorted(kinds) == sorted(
        2 * [("good", "completed"), ("bad", "pruned"), ("broken", "failed")]
    )


def test_a_grid_has_its_parent_too(tmp_path: Path) -> None:
    typed = ("--multirun", "optim.lr=0.1,0.2", "logger=mlflow", "hydra.sweep.dir=grid")
    succeeded(cnnsweep(*TINY, *typed, cwd=tmp_path))
    found = store(tmp_path)
    runs = found.runs()
    parent = runs.pop("grid")
    assert parent.info.status == "FINISHED"
    assert {run.data.params["optim.lr"] for run in runs.values()} == {"0.1", "0.2"}
    assert {run.data.tags["mlflow.parentRunId"] for run in runs.values()} == {parent.info.run_id}


def test_a_server_that_is_not_there_is_said_before_any_training(tmp_path: Path) -> None:
    typed = ("logger=mlflow", "logger.mlflow.tracking_uri=http://me:secret@localhost:9")
    line = complaint_of(cnnsweep(*TINY, *typed, cwd=tmp_path))
    assert "no MLflow server answers at localhost:9" in line
    assert "secret" not in line
    assert not list(tmp_path.glob("outputs/*/*/last.pt"))


def test_another_address_is_typed_and_the_run_is_there(tmp_path: Path) -> None:
    uri = f"sqlite:///{tmp_path / 'elsewhere' / 'mine.db'}"
    typed = ("logger=mlflow", f"logger.mlflow.tracking_uri={uri}", "hydra.run.dir=run")
    succeeded(cnnsweep(*TINY, *typed, cwd=tmp_path))
    settled(tmp_path)
    (run,) = Store(uri).runs().values()
    assert_every_epoch_once(Store(uri), run, tmp_path / "run")
