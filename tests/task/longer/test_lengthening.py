"""A finished run of few epochs becomes the one of more, or a line says why it can't."""

import csv
import itertools
import shutil
import signal
import time
from pathlib import Path

import pytest
import yaml

from cnnsweep.folders.run_folder import RunFolder
from tests.command import cnnsweep, complaint_of, start, succeeded
from tests.run_files import assert_same, metrics, result

SMALL = ("model=simple", "data.train_limit=100", "threads=1", "pictures=false")
STATEFUL = (
    "model=lenet", "model.dropout=0.2", "augment=light", "loss.weight=balanced",
    "data.train_limit=100", "threads=1",
)  # fmt: skip
FREE = ("none", "constant", "step", "multi_step", "exponential", "reduce_on_plateau", "cyclic",
        "warm_restarts")  # fmt: skip
BOUND = {
    "cosine": "scheduler.T_max", "linear": "scheduler.total_iters",
    "one_cycle": "scheduler.epochs", "polynomial": "scheduler.total_iters",
    "warmup_cosine": "scheduler.schedules",
}  # fmt: skip

QUICK_ONES = {("cyclic", "sgd"), ("reduce_on_plateau", "adam"), ("cosine", "sgd")}
PAIRS = [
    pytest.param(*pair, marks=() if pair in QUICK_ONES else pytest.mark.slow)
    for pair in itertools.product((*FREE, *BOUND), ("sgd", "adam"))
]


def train(folder: Path, *arguments: str) -> str:
    return succeeded(cnnsweep(*arguments, f"hydra.run.dir={folder}", cwd=folder.parent))


def files(folder: Path) -> dict[Path, bytes]:
    found = (path for path in folder.rglob("*") if path.is_file() and path.name != ".lock")
    return {path: path.read_bytes() for path in found}


def assert_is_the_longer(folder: Path, other: Path) -> None:
    """It is the same run but for what says that it was lengthened."""
    content = RunFolder(folder).read_result() or {}
    former = content.pop("lengthened")
    assert former
    RunFolder(folder).write_result(content | {"lengthened": []})
    try:
        assert_same(folder, other)
    finally:
        RunFolder(folder).write_result(content | {"lengthened": former})
    assert RunFolder(folder).read_config() == (RunFolder(other).read_config() or {}) | {
        "resume": (RunFolder(folder).read_config() or {})["resume"]
    }
    names = {path.name for path in folder.iterdir()}
    assert names == {path.name for path in other.iterdir()}


@pytest.fixture(scope="module")
def stateful(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A run of two epochs with all that has a state, and that of five."""
    root = tmp_path_factory.mktemp("stateful")
    for name, epochs in (("short", 2), ("long", 5)):
        train(root / name, *STATEFUL, f"epochs={epochs}")
    return root / "short", root / "long"


def test_it_is_the_run_of_that_length(stateful: tuple[Path, Path], tmp_path: Path) -> None:
    short, long = stateful
    run = shutil.copytree(short, tmp_path / "run")
    (run / "model.onnx").write_bytes(b"of two epochs")
    before = result(run)
    output = succeeded(cnnsweep("resume=run", "epochs=3", cwd=tmp_path))
    assert "lengthening run from 2 to 3 epochs" in output
    assert "results: run\n" in output
    assert (run / "model.2_epochs.onnx").read_bytes() == b"of two epochs"
    (run / "model.2_epochs.onnx").unlink()
    train(run, *STATEFUL, "epochs=5")  # the whole command does it, too
    assert_is_the_longer(run, long)
    first, second = result(run)["lengthened"]
    assert (first["epochs"], second["epochs"]) == (2, 3)
    assert first["test_accuracy"] == before["test_accuracy"]
    assert yaml.safe_load((run / ".hydra" / "overrides.yaml").read_text()) == [
        *STATEFUL, "epochs=5",
    ]  # fmt: skip
    assert "already finished" in succeeded(cnnsweep("resume=run", cwd=tmp_path))
    assert "already finished" in succeeded(cnnsweep("resume=run", "epochs=5", cwd=tmp_path))


@pytest.mark.parametrize(("scheduler", "optim"), PAIRS)
def test_the_same_bytes_or_the_reason(scheduler: str, optim: str, tmp_path: Path) -> None:
    settings = (*SMALL, f"scheduler={scheduler}", f"optim={optim}")
    train(tmp_path / "run", *settings, "epochs=1")
    done = cnnsweep("resume=run", "epochs=2", cwd=tmp_path)
    if scheduler in BOUND:
        line = complaint_of(done)
        assert f"{BOUND[scheduler]}" in line
        assert "on the number of epochs" in line
        assert line.endswith("python -m cnnsweep from=run epochs=2")
        assert len(metrics(tmp_path / "run")) == 1
        assert not (tmp_path / "run" / ".longer").exists()
        return
    succeeded(done)
    train(tmp_path / "long", *settings, "epochs=2")
    assert_is_the_longer(tmp_path / "run", tmp_path / "long")


def test_a_schedule_of_fixed_length_does_not_depend_on_it(tmp_path: Path) -> None:
    settings = (*SMALL, "scheduler=cosine", "scheduler.T_max=7")
    train(tmp_path / "run", *settings, "epochs=1")
    succeeded(cnnsweep("resume=run", "epochs=2", cwd=tmp_path))
    train(tmp_path / "long", *settings, "epochs=2")
    assert_is_the_longer(tmp_path / "run", tmp_path / "long")


@pytest.mark.parametrize(
    ("settings", "typed", "reason"),
    [
        ((), "epochs=1", "fewer"),
        ((), "epochs=3 optim.lr=0.3", "these keys differ: optim.lr. Choose"),
        (("keep=best",), "epochs=3", "it has no last.pt (keep=best dropped it)"),
        (("keep=none",), "epochs=3", "it has no last.pt (keep=none dropped it)"),
        (("early_stopping.patience=${epochs}",), "epochs=3", "early_stopping.patience depends"),
        (("early_stopping={patience:1,min_delta:2}",), "epochs=3", "early stopping after epoch 2"),
    ],
)
def test_what_cannot_be_lengthened_stays(
    settings: tuple[str, ...], typed: str, reason: str, tmp_path: Path
) -> None:
    train(tmp_path / "run", *SMALL, *settings, "epochs=2")
    before = files(tmp_path / "run")
    line = complaint_of(cnnsweep("resume=run", *typed.split(), cwd=tmp_path))
    assert reason in line
    assert files(tmp_path / "run") == before


def test_the_line_that_is_named_instead_works(tmp_path: Path) -> None:
    settings = (*SMALL, "scheduler=cosine")
    train(tmp_path / "run", *settings, "epochs=1")
    line = complaint_of(cnnsweep("resume=run", "epochs=2", cwd=tmp_path))
    words = line.rpartition("python -m cnnsweep ")[2].split()
    train(tmp_path / "anew", *words)
    train(tmp_path / "long", *settings, "epochs=2")
    assert_same(tmp_path / "anew", tmp_path / "long")


def test_the_latest_finished_run_of_fewer_epochs_is_meant(tmp_path: Path) -> None:
    for time_ in ("10-00-00", "11-00-00"):
        (tmp_path / "outputs" / "2026-01-01").mkdir(parents=True, exist_ok=True)
        train(tmp_path / "outputs" / "2026-01-01" / time_, *SMALL, "epochs=1")
    assert "is unfinished; leave" in complaint_of(cnnsweep("resume=latest", cwd=tmp_path))
    output = succeeded(cnnsweep("resume=latest", "epochs=2", cwd=tmp_path))
    assert "lengthening outputs/2026-01-01/11-00-00 from 1 to 2" in output
    line = complaint_of(cnnsweep("resume=latest", "epochs=1", cwd=tmp_path))
    assert "or a run of fewer than 1 epochs" in line


@pytest.mark.parametrize("moment", [".longer/last.pt", ".lengthened", ".longer/result.json"])
def test_killed_by_the_system_it_is_the_former_run_or_the_longer(
    moment: str, stateful: tuple[Path, Path], tmp_path: Path
) -> None:
    short, long = stateful
    run = shutil.copytree(short, tmp_path / "run")
    before = {name: (run / name).read_bytes() for name in ("result.json", "best.pt", "metrics.csv")}
    process = start("resume=run", "epochs=5", cwd=tmp_path)
    old = (run / "last.pt").stat().st_ino
    while process.poll() is None:
        try:
            if (run / moment).stat().st_ino != old:
                break
        except FileNotFoundError:
            time.sleep(0.0002)
    process.kill()
    process.communicate()
    folder = RunFolder(run)
    epochs = (folder.read_result() or {})["epochs"]
    assert len(folder.read_metrics()) == epochs == (folder.read_config() or {})["epochs"]
    if epochs == 2:
        assert {name: (run / name).read_bytes() for name in before} == before
        assert process.returncode == -signal.SIGKILL
        succeeded(cnnsweep("run", "--out=page", module="cnnsweep.report", cwd=tmp_path))
        with (tmp_path / "page" / "runs.csv").open(newline="") as file:
            (row,) = csv.DictReader(file)
        assert row["epochs"] == "2"
    succeeded(cnnsweep("resume=run", cwd=tmp_path))  # what was begun goes on
    assert_is_the_longer(run, long)
