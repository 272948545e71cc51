"""A run that is paused and goes on is one run for every tracker, whatever ends it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cnnsweep.folders.run_folder import PAUSED, STATUSES, RunFolder
from cnnsweep.loggers.base import Row, RunInfo, SweepInfo
from cnnsweep.loggers.tensorboard import TensorBoard
from tests.loggers.tracker_readers import hparams, scalars

ROWS: list[Row] = [{"epoch": epoch, "val_accuracy": epoch / 10} for epoch in range(1, 7)]


def result(status: str, epochs: int) -> dict[str, Any]:
    """A result.json, as far as trackers read it."""
    return {
        "status": status, "objective": None, "epochs": epochs, "val_accuracy": epochs / 10,
        "error": "boom" if status == "failed" else None, "commit": None,
    }  # fmt: skip


def run_in(folder: Path) -> RunInfo:
    (folder / "7").mkdir(parents=True)
    sweep = SweepInfo(
        folder, id="s", name="sweep", place="7", trial=7, parameters={"optim.lr": 0.1}
    )
    config = {"epochs": 6, "optim": {"lr": 0.1}}
    return RunInfo(folder / "7", id="r", name="7", root=folder, pid=1, config=config, sweep=sweep)


def lived(make: Any, run: RunInfo, status: str) -> Iterator[str]:
    """A run that is paused after two epochs and again after three, and then ends; after each."""
    folder = RunFolder(run.folder)
    for before, after, end in ((0, 2, PAUSED), (2, 3, PAUSED), (3, 6, status)):
        tracker = make(run)
        tracker.started(ROWS[:before])
        for row in ROWS[before:after]:
            tracker.epoch_ended(row)
        tracker.ended(result(end, after), folder)
        yield end


@pytest.mark.parametrize("status", STATUSES)
def test_tensorboard_has_final_figures_of_an_end_only(tmp_path: Path, status: str) -> None:
    run = run_in(tmp_path)
    for end in lived(lambda info: TensorBoard(run=info), run, status):
        found = scalars(run.folder)
        assert ("final_val_accuracy" in found) == (end != PAUSED)
    steps = {step for step, _ in scalars(run.folder)["val_accuracy"]}
    assert steps == set(range(1, 7))  # files of one second are read in any order
    if status != PAUSED:
        assert len(scalars(run.folder)["final_val_accuracy"]) == 1
    if status not in (PAUSED, "interrupted"):
        assert hparams(run.folder)[0] == {"optim.lr": 0.1}


@pytest.mark.trackers
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("status", STATUSES)
def test_mlflow_has_a_paused_run_scheduled_and_then_running_again(
    tmp_path: Path, status: str
) -> None:
    mlflow = pytest.importorskip("mlflow", reason="needs the extra mlflow")
    from cnnsweep.loggers.mlflow import MLflow

    uri = f"sqlite:///{tmp_path / 'store.db'}"
    client = mlflow.MlflowClient(tracking_uri=uri)
    run = run_in(tmp_path)
    ends = {"completed": "FINISHED", "failed": "FAILED", PAUSED: "SCHEDULED"}

    def make(info: RunInfo) -> Any:
        return MLflow(run=info, tracking_uri=uri, experiment="cnnsweep")

    for end in lived(make, run, status):
        experiment = client.get_experiment_by_name("cnnsweep").experiment_id
        (found,) = client.search_runs([experiment], "tags.`cnnsweep.id` = 'r'")
        assert found.info.status == ends.get(end, "KILLED")
        assert found.data.tags["cnnsweep.status"] == end
        is_final = end in ("completed", "pruned")
        assert ("final_val_accuracy" in found.data.metrics) == is_final
    steps = [m.step for m in client.get_metric_history(found.info.run_id, "val_accuracy")]
    assert sorted(steps) == list(range(1, 7))


@pytest.mark.trackers
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("status", STATUSES)
def test_wandb_tags_a_paused_run_until_it_goes_on(tmp_path: Path, status: str) -> None:
    pytest.importorskip("wandb", reason="needs the extra wandb")
    from cnnsweep.loggers.wandb import WandB
    from tests.loggers.tracker_readers import wandb_history, wandb_records

    def make(info: RunInfo) -> Any:
        return WandB(run=info, mode="offline", project="p", entity=None, group=None, tags=["mine"])

    run = run_in(tmp_path)
    for end in lived(make, run, status):
        records = wandb_records(run.folder)
        tags = [r.run.tags for r in records if r.WhichOneof("record_type") == "run"][-1]
        assert set(tags) == {"mine"} | ({end} & {PAUSED, "pruned"})
        exits = [r.exit.exit_code for r in records if r.WhichOneof("record_type") == "exit"]
        assert exits == [{"failed": 1, "interrupted": 130}.get(end, 0)]
    lines = [line for line in wandb_history(records) if "val_accuracy" in line]
    assert len(lines) == 6
