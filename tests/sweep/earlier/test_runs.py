"""The trials of an earlier sweep are read from their folders, of whatever kind it was."""

from pathlib import Path
from typing import Any

import pytest

from cnnsweep.errors import UserError
from cnnsweep.folders.run_folder import RunFolder
from cnnsweep.folders.sweep_folder import SweepFolder
from cnnsweep.metric_names import METRICS_COLUMNS
from cnnsweep.sweep.earlier.runs import read_trials

KEY = "hydra.sweeper.warm_start"


def run(folder: Path, status: str = "completed", value: float | None = 0.5, **config: Any) -> None:
    """A run of two epochs, of which the second has the value."""
    folder.mkdir(parents=True, exist_ok=True)
    whole = {"objective": "val_accuracy", "optim": {"lr": 0.1}, **config}
    RunFolder(folder).write_config(whole)
    values = (0.25, value)
    rows: list[dict[str, float | int | None]] = [
        {**dict.fromkeys(METRICS_COLUMNS, 0.0), "epoch": epoch, "val_accuracy": reached}
        for epoch, reached in enumerate(values, start=1)
    ]
    RunFolder(folder).write_metrics(rows)
    RunFolder(folder).write_result({"status": status, "val_accuracy": value})


def sweep(folder: Path, direction: str = "null") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    SweepFolder(folder).config.write_text(f"hydra: {{sweeper: {{direction: {direction}}}}}\n")
    return folder


def test_what_is_over_or_paused_is_a_trial_and_confirmations_are_none(tmp_path: Path) -> None:
    for status in ("completed", "failed", "interrupted", "pruned", "paused"):
        run(tmp_path / "old" / {"completed": "10"}.get(status, status), status)
    run(tmp_path / "old" / "confirm/5")
    run(tmp_path / "old" / "confirm-of-3/5")
    run(tmp_path / "old" / "2")
    found = read_trials(sweep(tmp_path / "old"), KEY, tmp_path / "new")
    assert [trial.folder.name for trial in found] == ["paused", "pruned", "2", "10"]
    assert found[2].values == [0.5]
    assert found[2].direction == ("maximize",)
    assert found[0].curve() == {1: 0.25, 2: 0.5}


def test_several_seeds_are_one_trial_with_their_mean(tmp_path: Path) -> None:
    for seed, value in enumerate((0.5, 1.0)):
        run(tmp_path / f"old/lenet/search_1/4/seed_{seed}", value=value, seed=seed)
    RunFolder(tmp_path / "old/lenet/search_1/4").write_result(
        {"status": "completed", "val_accuracy": 0.75}
    )
    (trial,) = read_trials(sweep(tmp_path / "old", "minimize"), KEY, tmp_path / "new")
    assert trial.values == [0.75]
    assert trial.config["seed"] == 0
    assert trial.curve() == {1: 0.25, 2: 0.75}
    assert trial.direction == ("minimize",)
    assert trial.value_of("optim.lr") == [0.1]
    assert trial.value_of("optim.momentum") == trial.value_of("model") == []


def test_an_objective_that_is_no_number_is_none(tmp_path: Path) -> None:
    run(tmp_path / "old/0", value=float("nan"))
    run(tmp_path / "old/1", value=None)
    found = read_trials(sweep(tmp_path / "old"), KEY, tmp_path / "new")
    assert [trial.values for trial in found] == [None, None]


def test_folders_of_anything_else_are_refused(tmp_path: Path) -> None:
    sweep(tmp_path / "empty")
    run(tmp_path / "run")
    (tmp_path / "bare").mkdir()
    said = {
        "gone": "there is no such folder",
        "empty": "has no trial of cnnsweep's that is over",
        "run": "is the folder of a run",
        "bare": "holds no sweep",
        "new": "there is no such folder",
    }
    for name, part in said.items():
        with pytest.raises(UserError, match=part):
            read_trials(tmp_path / name, KEY, tmp_path / "new")
    for folder, how in (("empty", "is"), ("empty/search_0", "holds"), ("", "lies in")):
        with pytest.raises(UserError, match=f"{how} the folder of this sweep itself"):
            read_trials(tmp_path / "empty", KEY, tmp_path / folder)
