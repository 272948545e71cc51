"""A worker that is stopped in mid-trial, with its nanny, costs its trial time and nothing else."""

import contextlib
import time
from pathlib import Path

import psutil
import pytest

from tests.sweep.sweep_commands import TOY, TOY_SPACE, command, finish, start, sweep, table

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]
RANDOM = ("hydra/sweeper/sampler=random", "hydra/sweeper/pruner=none")
SIX = (*TOY_SPACE, *RANDOM, "hydra.sweeper.n_trials=6", "hydra.sweeper.n_jobs=2", "epochs=8")


def in_mid_trial(folder: Path) -> psutil.Process | None:
    """A worker that has trained two epochs of its trial, and has four or more to go."""
    for trace in folder.glob("*/epochs.txt"):
        epoch, pid = trace.read_text(encoding="utf-8").splitlines()[-1].split()
        if 2 <= int(epoch) <= 4:
            return psutil.Process(int(pid))
    return None


def test_its_trial_waits_others_go_first_and_it_does_nothing_when_it_wakes(tmp_path: Path) -> None:
    assert sweep(TOY, tmp_path / "whole", *SIX, "epoch_seconds=0.01").code == 0
    folder = tmp_path / "sweep"
    line = (*SIX, "epoch_seconds=0.5", "hydra/launcher=joblib")
    process = start(command(TOY, folder, *line))
    while (worker := in_mid_trial(folder)) is None:
        assert process.poll() is None
        time.sleep(0.05)
    frozen = [worker, *worker.parents()[:1]]
    for one in frozen:
        one.suspend()
    try:
        done = finish(process)
        before = {path: path.stat().st_mtime_ns for path in folder.rglob("*")}
        with contextlib.suppress(psutil.NoSuchProcess):  # it went with its nanny
            worker.resume()  # it is killed before it does anything
            worker.wait(10)
    finally:
        for one in frozen:
            if one.is_running():
                one.kill()
    assert done.code == 0, done.text
    assert "says nothing any more; resumes from its last epoch" in done.text
    assert "this run waits until then, and others go first" in done.text
    assert table(folder) == table(tmp_path / "whole")
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*")} == before
