"""Several trials in one worker, trained together: the same runs, folders and ends as alone."""

import re
import signal
import time
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
)

GRID = ("cnnsweep",)
TINY = ("model=lenet", "model.channels=[2, 4]", "data.train_limit=200", "pictures=false")
# Smooth: where two numbers are nearly equal, ReLU and a maximum choose by the last bit.
SMALL = (*TINY, "model.activation=tanh", "model.pooling=avg")
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


def test_what_ends_its_process_or_hangs_costs_no_other_job(tmp_path: Path) -> None:
    """All are run again, each alone, and only the guilty ones fail."""
    kinds = (f"tests.sweep.mishaps.{name}" for name in ("Exits", "Hangs", "Raises"))
    axis = f"optim._target_=torch.optim.SGD,{','.join(kinds)}"
    settings = ("hydra.sweeper.retries=0", "hydra.sweeper.trial_timeout=25")
    allow = {"CNNSWEEP_ALLOW": "tests.sweep.mishaps.*"}
    done = sweep(GRID, tmp_path / "sweep", *SMALL, axis, *STACK, *settings, "epochs=3", **allow)
    assert done.code == 1, done.text
    errors = [result(tmp_path / "sweep" / run)["error"] for run in "0123"]
    assert errors[0] is None, done.text
    assert "exit code 3" in errors[1]
    assert "timed out" in errors[2]
    assert "a mishap" in errors[3]
    assert done.text.count("with other runs in it, so each is alone from now on") == 4


def test_one_that_diverges_fails_alone(tmp_path: Path) -> None:
    axes = ("optim.lr=0.02,1e30,0.01",)
    done = sweep(GRID, tmp_path / "sweep", *TINY, *axes, *STACK, "epochs=2")
    alone = sweep(GRID, tmp_path / "alone", *TINY, *axes, *ALONE, "epochs=2")
    assert (done.code, alone.code) == (1, 1), done.text
    errors = [result(tmp_path / name / "1")["error"] for name in ("sweep", "alone")]
    assert errors[0] == errors[1]
    assert "loss became" in errors[0]
    for run in ("0", "2"):
        assert numbers(tmp_path / "sweep" / run) == pytest.approx(
            numbers(tmp_path / "alone" / run), rel=1e-3, abs=1e-3
        )


def begun(folder: Path, epochs: int = 1) -> bool:
    """Whether each of the first four runs has trained so many epochs."""
    return all(len(metrics(folder / run)) >= epochs for run in "0123")


@pytest.mark.parametrize(
    "how", [pytest.param(signal.SIGKILL, marks=pytest.mark.slow), signal.SIGTERM]
)
def test_jobs_keep_their_last_whole_epoch_and_go_on(tmp_path: Path, how: signal.Signals) -> None:
    axes = ("optim.lr=0.02,0.01", "optim.momentum=0.9,0.5", "epochs=12")
    line = command(GRID, tmp_path / "broken", *SMALL, *axes, *STACK)
    process = start(line)
    while process.poll() is None and not begun(tmp_path / "broken"):
        time.sleep(0.01)
    process.send_signal(how)
    stopped = finish(process, 60)
    assert stopped.code == (143 if how == signal.SIGTERM else -how), stopped.text
    kept = [len(metrics(tmp_path / "broken" / run)) for run in "0123"]
    assert all(0 < epochs < 12 for epochs in kept)
    if how == signal.SIGTERM:
        ends = [result(tmp_path / "broken" / run) for run in "0123"]
        assert [(end["status"], end["epochs"]) for end in ends] == [
            ("interrupted", epochs) for epochs in kept
        ]
    fewer = ("hydra.sweeper.stack=2",) if how == signal.SIGTERM else ()  # as a launch may choose
    again = sweep(GRID, tmp_path / "broken", *SMALL, *axes, *STACK, *fewer)
    assert again.code == 0, again.text
    whole = sweep(GRID, tmp_path / "whole", *SMALL, *axes, *STACK)
    assert whole.code == 0, whole.text
    assert_same_runs(tmp_path / "broken", tmp_path / "whole", 4)


def test_a_search_pauses_thaws_and_takes_several_seeds(tmp_path: Path) -> None:
    settings = ("search=sgd", "hydra.sweeper.n_trials=8", "hydra.sweeper.seeds=2", "epochs=3")
    done = sweep(OURS, tmp_path / "sweep", *SMALL, *STACK, *settings)
    assert done.code == 0, done.text
    trials = study(tmp_path / "sweep").trials
    assert len(trials) == 8
    complete = [trial for trial in trials if trial.state.name == "COMPLETE"]
    assert complete, done.text
    for trial in complete:
        runs = [tmp_path / "sweep" / str(trial.number) / f"seed_{k}" for k in (0, 1)]
        assert [len(metrics(run)) for run in runs] == [3, 3]
    assert "paused" in done.text
