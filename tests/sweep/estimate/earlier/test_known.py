"""What earlier runs took, from folders as runs leave them."""

import json
import math
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from cnnsweep.sweep.estimate.before import before_of
from cnnsweep.sweep.estimate.costs import Kind
from cnnsweep.sweep.estimate.earlier.known import known_costs
from cnnsweep.sweep.estimate.earlier.runs import earlier_runs
from cnnsweep.sweep.estimate.kinds import are_alike, kind_of
from cnnsweep.sweep.machine.facts import Machine

HERE = {"cpu": "a CPU", "cores": 2}
FLAGS = {"test": False, "pictures": False}
START = datetime(2026, 1, 1, tzinfo=UTC)


def config(**changes: Any) -> dict[str, Any]:
    """A resolved config, in which dotted keys stand with __ for the dot."""
    plain: dict[str, Any] = {
        "seed": 0, "epochs": 10, "device": "auto", "precision": "float32", "threads": 1, **FLAGS,
        "model": {"_target_": "a.Net", "width": 8},
        "optim": {"_target_": "an.SGD", "lr": 0.1},
        "data": {"_target_": "some.digits", "batch_size": 32, "val_fraction": 0.0},
    }  # fmt: skip
    for name, value in changes.items():
        group, _, key = name.partition("__")
        if key:
            plain[group] = plain[group] | {key: value}
        else:
            plain[name] = value
    return plain


def leave_run(
    folder: Path, plain: dict[str, Any], *, epoch: float = 2.0, around: float = 5.0, at: float = 0
) -> None:
    """A completed run: so many seconds an epoch, and around them."""
    folder.mkdir(parents=True)
    length = plain["epochs"] * (epoch + 0.02) + around
    began = START + timedelta(seconds=at)
    result = {
        "status": "completed", "epochs": plain["epochs"], "parameters": 1000,
        "train_seconds": plain["epochs"] * epoch, "device": "cpu", "precision": "float32",
        "threads": 1, "hardware": {**HERE, "gpu": None}, "stack": 1, "earlier": [],
        "started": began.isoformat(), "ended": (began + timedelta(seconds=length)).isoformat(),
        "data": {"train": 100, "val": None, "test": 10},
    }  # fmt: skip
    (folder / "result.json").write_text(json.dumps(result))
    (folder / "config.yaml").write_text(yaml.safe_dump(plain))
    (folder / "metrics.csv").write_text("epoch\n")
    (folder / "best.pt").write_bytes(b"x" * 4_000)


def kind(plain: dict[str, Any]) -> Kind:
    return kind_of(plain, "cpu", "float32", 1)


def found(root: Path, plain: dict[str, Any], workers: int = 1) -> Any:
    past = earlier_runs([root, root / "nowhere"], HERE, has_gpu=False)
    return known_costs(past, {kind(plain)}, workers, FLAGS)


@pytest.mark.parametrize(
    "change",
    [{"seed": 7}, {"epochs": 3}, {"optim__lr": 0.9}, {"test": True}, {"objective": "val_loss"}],
)
def test_runs_that_differ_in_what_costs_nothing_are_of_one_kind(
    tmp_path: Path, change: dict[str, Any]
) -> None:
    leave_run(tmp_path / "0", config(**change))
    known = found(tmp_path, config())
    assert known.runs == 1
    (cost,) = known.costs.values()
    assert cost.epoch == pytest.approx(2.02)
    assert cost.begin + cost.end == pytest.approx(5, abs=0.01)
    assert (cost.best, cost.last) == (4_000, 8_000)


@pytest.mark.parametrize(
    "change",
    [
        {"model__width": 9}, {"model__another": 1}, {"optim___target_": "an.Adam"},
        {"data__batch_size": 64}, {"data__train_limit": 50}, {"compile": True},
    ],
)  # fmt: skip
def test_runs_that_differ_in_what_costs_time_are_not(
    tmp_path: Path, change: dict[str, Any]
) -> None:
    leave_run(tmp_path / "0", config(**change))
    assert found(tmp_path, config()).runs == 0


def test_other_hardware_failed_runs_and_damaged_folders_say_nothing(tmp_path: Path) -> None:
    for number in range(4):
        leave_run(tmp_path / str(number), config())
    path = tmp_path / "0" / "result.json"
    strange: list[dict[str, Any]] = [
        {"hardware": {"cpu": "another", "cores": 2}}, {"status": "failed"}, {"stack": 4},
        {"started": "yesterday"}, {"ended": None}, {"epochs": "ten"}, {"train_seconds": None},
        {"threads": "auto"}, {"precision": None}, {"hardware": "a CPU"},
        {"data": "some digits"}, {"parameters": "many"}, {"train_seconds": math.inf},
    ]  # fmt: skip
    for number, change in enumerate(strange):
        folder = tmp_path / f"strange {number}"
        leave_run(folder, config())
        text = json.loads(path.read_text()) | change
        (folder / "result.json").write_text(json.dumps(text))
    path.write_text("[]")
    (tmp_path / "1" / "result.json").write_text("")
    (tmp_path / "2" / "config.yaml").write_text("{")
    (tmp_path / "3" / "result.json").write_text("{")
    assert found(tmp_path, config()).runs == 0


def test_those_with_as_many_beside_them_count_first(tmp_path: Path) -> None:
    (tmp_path / "sweep").mkdir()
    (tmp_path / "sweep" / "multirun.yaml").write_text("")
    for number in range(6):  # three and three at a time
        leave_run(tmp_path / "sweep" / str(number), config(), epoch=6.0, at=100 * (number // 3))
    for number in range(6):
        leave_run(tmp_path / str(number), config(), epoch=2.0)
    (alone,) = found(tmp_path, config(), workers=1).costs.values()
    several = found(tmp_path, config(), workers=3)
    assert alone.epoch == pytest.approx(2.02)
    assert several.beside == pytest.approx(3, abs=0.1)
    assert next(iter(several.costs.values())).epoch == pytest.approx(6.02)


def test_a_running_sweep_begins_with_what_runs_of_any_batch_size_took(tmp_path: Path) -> None:
    for number, batch in enumerate((16, 32, 64)):
        leave_run(tmp_path / str(number), config(data__batch_size=batch), epoch=1.0 + number)
    machine = Machine(cores=2)
    from cnnsweep.folders import provenance

    here = provenance.hardware()
    for number in range(3):
        path = tmp_path / str(number) / "result.json"
        hardware = {"hardware": {**here, "gpu": None}}
        path.write_text(json.dumps(json.loads(path.read_text()) | hardware))
    found = before_of(config(data__batch_size=128), [tmp_path], machine, 1)
    assert found is not None
    assert found.epoch == pytest.approx(2.02)
    assert found.run == pytest.approx(25.2, abs=0.1)
    assert before_of(config(model__width=1), [tmp_path], machine, 1) is None


def test_keys_that_change_what_a_run_costs_are_known() -> None:
    assert are_alike(["optim.lr", "seed", "data.batch_size", "scheduler"])
    assert not are_alike(["model"])
    assert not are_alike(["epochs"])
    assert not are_alike(["data.train_limit"])


def test_trials_that_were_paused_say_nothing_of_the_time_around_their_epochs(
    tmp_path: Path,
) -> None:
    sweep = tmp_path / "sweep"
    sweep.mkdir()
    (sweep / "multirun.yaml").write_text("pruner: cnnsweep.sweep.freeze_thaw.pruner.FreezeThaw")
    for number in range(4):  # each waited for the others, so that all four seem to run at a time
        leave_run(sweep / str(number), config(), epoch=2.0, around=500.0)
    short = config(epochs=1)
    leave_run(sweep / "4", short, epoch=2.0, around=1.0)
    known = found(tmp_path, config())
    (cost,) = known.costs.values()
    assert cost.begin + cost.end == pytest.approx(1.0, abs=0.01)
    assert cost.epoch == pytest.approx(2.02)
    assert known.beside == 1.0
