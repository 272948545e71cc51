import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.command import environment
from tests.loggers.conftest import EPOCHS, Tracked
from tests.loggers.tracker_readers import wandb_history, wandb_records
from tests.run_files import metrics, result

pytestmark = [pytest.mark.trackers, pytest.mark.filterwarnings("ignore")]


def only(records: list[Any], kind: str) -> list[Any]:
    return [getattr(r, kind) for r in records if r.WhichOneof("record_type") == kind]


def assert_every_epoch_once(run: Path) -> None:
    lines = [line for line in wandb_history(wandb_records(run)) if "val_accuracy" in line]
    found = [(int(line["_step"]), json.loads(line["val_accuracy"])) for line in lines]
    assert found == [(int(row["epoch"]), float(row["val_accuracy"])) for row in metrics(run)]


def summary(records: list[Any]) -> dict[str, Any]:
    """As the updates leave it."""
    found: dict[str, Any] = {}
    for record in only(records, "summary"):
        found |= {item.key: json.loads(item.value_json) for item in record.update if item.key}
    return found


def test_a_run_killed_four_times_is_one_run_with_every_epoch_once(killed_run: Tracked) -> None:
    folder = killed_run.root / "run"
    assert len(metrics(folder)) == EPOCHS
    assert_every_epoch_once(folder)
    records = wandb_records(folder)
    run = only(records, "run")[0]
    assert run.run_id == (folder / ".trackers" / "id").read_text()
    assert (run.project, run.job_type) == ("cnnsweep", "run")
    config = {item.key: json.loads(item.value_json) for item in run.config.update}
    assert config["optim"]["lr"] == 0.05
    assert [record.exit_code for record in only(records, "exit")] == [0]
    outcome, told = result(folder), summary(records)
    for name in ("status", "val_accuracy", "test_accuracy", "best_epoch"):
        assert told[name] == outcome[name]
    pictures = {path.name.split("_")[0] for path in folder.glob("wandb/*/files/media/images/*")}
    assert pictures == {"curves", "predictions", "confusion"}


def test_wandb_itself_finds_one_run_to_send(killed_run: Tracked) -> None:
    line = [sys.executable, "-m", "wandb", "sync", "--dry-run", str(killed_run.root / "run/wandb")]
    done = subprocess.run(
        line, capture_output=True, text=True, check=True, env=environment(), timeout=60
    )
    said = done.stdout + done.stderr
    assert said.count(".wandb") == 1, said


def test_a_finished_run_started_again_adds_nothing(killed_run: Tracked) -> None:
    files = sorted((killed_run.root / "run" / "wandb").rglob("*"))
    before = [(path, path.stat().st_mtime_ns) for path in files]
    killed_run.again()
    files = sorted((killed_run.root / "run" / "wandb").rglob("*"))
    assert [(path, path.stat().st_mtime_ns) for path in files] == before


def test_a_sweeps_trials_are_a_group(killed_sweep: Tracked) -> None:
    for number in range(6):
        folder = killed_sweep.root / "sweep" / str(number)
        records = wandb_records(folder)
        run = only(records, "run")[-1]
        assert (run.run_group, run.job_type) == ("sweep", "trial")
        assert run.display_name == str(number)
        status = result(folder)["status"]
        assert ("pruned" in run.tags) == (status == "pruned")
        assert only(records, "exit")[-1].exit_code == (1 if status == "failed" else 0)
        assert summary(records)["status"] == status
        assert_every_epoch_once(folder)
