"""Several trials in one worker, trained together: the same runs, folders and ends as alone."""

import re
import signal
from pathlib import Path
from typing import Any

import pytest

from cnnsweep.folders.run_folder import RunFolder
from tests.sweep.sweep_commands import (
    OURS,
    command,
    finish,
    metrics,
    start,
    study,
    sweep,
    wait_for_training,
    workers,
)

GRID = ("cnnsweep",)
SMALL = ("model=lenet", "model.activation=relu", "model.channels=[2, 4]", "data.train_limit=200")
STACK = ("hydra.sweeper.n_jobs=1", "hydra.sweeper.stack=4")
ALONE = ("hydra.sweeper.n_jobs=1", "hydra.sweeper.stack=1")


def result(run: Path) -> dict[str, Any]:
    read = RunFolder(run).read_result()
    assert read is not None, f"{run} has no result"
    return read


def numbers(run: Path) -> list[Any]:
    """A run's metrics, and those of its result."""
    rows = [float(value) for row in metrics(run) for value in row.values() if value]
    names = ("test_loss", "test_accuracy", "val_loss", "objective", "best_epoch")
    return rows + [result(run)[name] or 0.0 for name in names]


def assert_same_runs(folder: Path, other: Path, number: int) -> None:
    """Up to the rounding of sums in another order."""
    for run in map(str, range(number)):
        assert numbers(folder / run) == pytest.approx(numbers(other / run), rel=1e-3, abs=1e-3), run


def test_a_grid_trained_together_ends_as_one_trained_alone(tmp_path: Path) -> None:
    axes = ("optim=sgd,adam", "data.batch_size=25,64", "optim.lr=0.02,0.01")
    for name, settings in (("together", STACK), ("alone", ALONE)):
        done = sweep(GRID, tmp_path / name, *SMALL, *axes, *settings, "epochs=3")
        assert done.code == 0, done.text
        if name == "together":
            assert "1 worker of 1 thread, 4 jobs each: hydra.sweeper.n_jobs=1" in done.text
            assert done.text.count("optim._target_ is Adam, and only SGD is stacked") == 1
    assert_same_runs(tmp_path / "together", tmp_path / "alone", 8)
    stacks = [result(tmp_path / "together" / str(run))["stack"] for run in range(8)]
    assert stacks == [2, 2, 2, 2, 1, 1, 1, 1]  # the first four begin as two families
    for run in range(8):
        text = (tmp_path / "together" / str(run) / "cnnsweep.log").read_text()
        rows = [row["train_loss"] for row in metrics(tmp_path / "together" / str(run))]
        assert re.findall(r"train_loss ([^,]+),", text) == rows
        assert text.count("Conv2d") == 2
        assert ("is Adam" in text) == (run >= 4)
    assert not (tmp_path / "together" / "workers").exists()


def test_what_ends_its_process_costs_no_other_job(tmp_path: Path) -> None:
    """The others are run again, alone, and only the guilty ones have deaths."""
    kinds = ("torch.optim.SGD", *(f"tests.sweep.mishaps.{n}" for n in ("Exits", "Killed", "Raises")))
    axes = (f"optim._target_={','.join(kinds)}", "optim.lr=0.02,0.01")
    allow = {"CNNSWEEP_ALLOW": "tests.sweep.mishaps.*"}
    line = (*SMALL, *axes, *STACK, "epochs=3")
    done = sweep(GRID, tmp_path / "sweep", *line, **allow)
    assert done.code == 1, done.text
    trials = study(tmp_path / "sweep").trials
    ends = {t.number: (t.state.name, t.user_attrs.get("deaths", 0)) for t in trials}
    complete, died, failed = ("COMPLETE", 0), ("FAIL", 1), ("FAIL", 0)
    assert [ends[n] for n in range(8)] == [complete] * 2 + [died] * 4 + [failed] * 2, done.text
    assert "resumes alone from its last epoch" in done.text
    assert "exit code 3" in done.text
    assert "a mishap" in result(tmp_path / "sweep" / "6")["error"]


def test_a_job_that_hangs_fails_alone(tmp_path: Path) -> None:
    axes = ("optim._target_=torch.optim.SGD,tests.sweep.mishaps.Hangs", "optim.lr=0.02,0.01")
    allow = {"CNNSWEEP_ALLOW": "tests.sweep.mishaps.*"}
    line = (*SMALL, *axes, *STACK, "epochs=3", "hydra.sweeper.trial_timeout=4")
    done = sweep(GRID, tmp_path / "sweep", *line, **allow)
    assert done.code == 1, done.text
    states = [trial.state.name for trial in study(tmp_path / "sweep").trials]
    assert states == ["COMPLETE", "COMPLETE", "FAIL", "FAIL"], done.text
    assert "timed out" in result(tmp_path / "sweep" / "2")["error"]


def test_one_that_diverges_fails_alone(tmp_path: Path) -> None:
    axes = ("optim.lr=0.02,1e30,0.01",)
    done = sweep(GRID, tmp_path / "sweep", *SMALL, *axes, *STACK, "epochs=3")
    alone = sweep(GRID, tmp_path / "alone", *SMALL, *axes, *ALONE, "epochs=3")
    assert (done.code, alone.code) == (1, 1), done.text
    errors = [result(tmp_path / name / "1")["error"] for name in ("sweep", "alone")]
    assert errors[0] == errors[1]
    assert "loss became" in errors[0]
    for run in ("0", "2"):
        assert numbers(tmp_path / "sweep" / run) == pytest.approx(
            numbers(tmp_path / "alone" / run), rel=1e-3, abs=1e-3
        )
