"""Ctrl-C and SIGTERM: running trials keep their last whole epoch, and nothing is left behind."""

import signal
import time
from pathlib import Path

import psutil
import pytest

from cnnsweep.folders.run_folder import RunFolder
from tests.sweep.sweep_commands import (
    OURS,
    TOY,
    TOY_SPACE,
    begin,
    command,
    finish,
    start,
    study,
    sweep,
    wait_for_training,
    workers,
)

_NONE = "hydra/sweeper/pruner=none"  # a signal may come while all trials that began are paused


@pytest.mark.parametrize(
    ("app", "settings", "sent", "code"),
    [
        (OURS, ("search=sgd", "model=lenet", "epochs=500", _NONE), signal.SIGINT, 130),
        (TOY, (*TOY_SPACE, "epochs=500", "epoch_seconds=0.1"), signal.SIGTERM, 143),
    ],
)
def test_a_signal_stops_every_run_and_leaves_no_process(
    tmp_path: Path, app: tuple[str, ...], settings: tuple[str, ...], sent: signal.Signals, code: int
) -> None:
    folder = tmp_path / "sweep"
    process = start(command(app, folder, *settings))
    assert wait_for_training(process, folder)
    at_work = workers(process)
    process.send_signal(sent)
    done = finish(process, seconds=60)
    assert done.code == code, done.text
    assert at_work
    assert not any(psutil.pid_exists(worker.pid) for worker in at_work)
    statuses = [RunFolder(run).read_result() for run in folder.glob("[0-9]*")]
    assert "interrupted" in [s["status"] for s in statuses if s is not None]


def test_workers_die_with_a_killed_launching_process(tmp_path: Path) -> None:
    folder = tmp_path / "sweep"
    process = begin(command(TOY, folder, *TOY_SPACE, "epochs=500", "epoch_seconds=0.1"))
    assert wait_for_training(process, folder)
    at_work = workers(process)
    process.kill()
    finish(process)
    _, alive = psutil.wait_procs(at_work, timeout=10)
    assert at_work
    assert alive == []


def test_a_second_launch_says_who_holds_the_sweep(tmp_path: Path) -> None:
    folder, hold = tmp_path / "sweep", tmp_path / "hold"
    settings = (*TOY_SPACE, "epochs=2", f"hold={hold}", "hydra.sweeper.n_trials=2")
    hold.touch()
    first = begin(command(TOY, folder, *settings))
    while not (folder / "0").exists():
        time.sleep(0.05)
    second = sweep(TOY, folder, *settings)
    assert second.code != 0
    assert f"is being worked on by process {first.pid}" in second.text
    hold.unlink()
    assert finish(first).code == 0
    assert len(study(folder).trials) == 2
