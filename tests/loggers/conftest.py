"""A run and a sweep with all trackers at once, killed on their way, which several tests read."""

import os
import signal
import sqlite3
import subprocess
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.command import REPOSITORY, SECONDS, cnnsweep, start, succeeded
from tests.loggers.tracker_readers import settled

EPOCHS = 30
_RUN = ("model=lenet", f"epochs={EPOCHS}", "optim.lr=0.05", "threads=1", "hydra.run.dir=run")
_ALL = "logger=[tensorboard,mlflow,wandb]"
_FRAGILE = {"CNNSWEEP_ALLOW": "tests.loggers.own_trackers.*", "PYTHONPATH": str(REPOSITORY)}
_SWEEP = (
    *("--multirun", "hydra/sweeper=optuna", "hydra/sweeper/sampler=grid", "hydra.sweep.dir=sweep"),
    *("model=lenet", "model._target_=tests.loggers.own_trackers.Fragile"),
    *("+model.kind=choice(good,bad,broken)", "optim.lr=choice(0.02,0.05)", "epochs=6"),
    *("hydra/sweeper/pruner=threshold", "hydra.sweeper.pruner.lower=0.3"),
    *("hydra.sweeper.pruner.n_warmup_steps=3", "hydra.sweeper.max_failure_rate=1.0"),
    *("hydra.sweeper.n_jobs=4", _ALL),
)


@dataclass
class Tracked:
    """What came of it: the folder in which the commands were typed, and the last one again."""

    root: Path
    again: Callable[[], str]


@pytest.fixture(autouse=True)
def _no_other_store(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith(("MLFLOW_", "WANDB_"))]:
        monkeypatch.delenv(name)


@pytest.fixture(scope="session")
def killed_run(tmp_path_factory: pytest.TempPathFactory) -> Tracked:
    """A run of 30 epochs that SIGKILL ended four times, at four different stages."""
    _need_all()
    root = tmp_path_factory.mktemp("killed")
    arguments = (*_RUN, _ALL)
    stages = (
        lambda: (root / "run" / "metrics.csv").exists(),
        lambda: _logged_epochs(root) >= 2,
        lambda: _lines(root / "run" / "metrics.csv") >= 12,
        lambda: _logged_epochs(root) >= 18,
    )
    for is_reached in stages:
        _kill_when(is_reached, start(*arguments, cwd=root))
        assert not (root / "run" / "result.json").exists()

    def again() -> str:
        return succeeded(cnnsweep(*arguments, cwd=root))

    again()
    return Tracked(settled(root), again)


@pytest.fixture(scope="session")
def killed_sweep(tmp_path_factory: pytest.TempPathFactory) -> Tracked:
    """Six trials on four workers: two good, two pruned, two failed; killed when one was over."""
    _need_all()
    root = tmp_path_factory.mktemp("sweep")
    process = start(*_SWEEP, cwd=root, **_FRAGILE)
    _kill_when(lambda: any(root.glob("sweep/*/result.json")), process)

    def again() -> str:
        return succeeded(cnnsweep(*_SWEEP, cwd=root, **_FRAGILE))

    again()
    return Tracked(settled(root), again)


def _need_all() -> None:
    pytest.importorskip("mlflow", reason="needs the extra trackers")
    pytest.importorskip("wandb", reason="needs the extra trackers")


def _kill_when(is_reached: Callable[[], bool], process: "subprocess.Popen[str]") -> None:
    end = time.monotonic() + SECONDS
    while not is_reached():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < end, "this stage is never reached"
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.communicate()


def _logged_epochs(root: Path) -> int:
    """How many epochs MLflow has, asked of the file itself: its client would hold us up."""
    if not (root / "mlflow.db").exists():
        return 0
    file = f"file:{root / 'mlflow.db'}?mode=ro"
    with closing(sqlite3.connect(file, uri=True)) as connection:
        try:
            found = connection.execute("SELECT COUNT(DISTINCT step) FROM metrics").fetchone()
        except sqlite3.OperationalError:  # no tables yet
            return 0
    return int(found[0])


def _lines(path: Path) -> int:
    return path.read_text().count("\n") if path.exists() else 0
