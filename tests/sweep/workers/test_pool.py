"""Workers side by side: none waits for another."""

import resource
from pathlib import Path

import pytest

from cnnsweep.errors import UserError
from cnnsweep.sweep.machine.gpus import Gpu
from cnnsweep.sweep.spec.messages import Job
from cnnsweep.sweep.workers.pool import Pool
from cnnsweep.sweep.workers.worker_main import Setup
from tests.sweep.sweep_commands import TOY, study, sweep


def test_free_workers_never_wait_for_a_straggler(tmp_path: Path) -> None:
    """One trial only ends once the seven others are over: with any barrier it never does."""
    settings = ("hydra/sweeper/sampler=grid", "hydra.sweeper.n_jobs=2", "epochs=1")
    straggler = "others=choice(0, -1, -2, -3, -4, -5, 7, -6)"
    done = sweep(TOY, tmp_path / "sweep", straggler, *settings)
    assert done.code == 0, done.text
    trials = study(tmp_path / "sweep").trials
    (number,) = (trial.number for trial in trials if trial.params["others"] == 7)
    assert number < 6  # else it is in the last pair, and a barrier would let it pass
    assert [trial.state.name for trial in trials] == ["COMPLETE"] * 8  # it would fail in the end


def test_another_launcher_may_start_the_workers(tmp_path: Path) -> None:
    pytest.importorskip("hydra_plugins.hydra_joblib_launcher", reason="no joblib launcher")
    settings = ("hydra/sweeper/sampler=grid", "hydra/launcher=joblib", "epoch_seconds=0.01")
    done = sweep(TOY, tmp_path / "sweep", "mishap=none,SIGKILL,raise,exit", *settings)
    assert done.code == 0, done.text
    trials = study(tmp_path / "sweep").trials
    states = {t.params["mishap"]: (t.state.name, t.user_attrs.get("deaths", 0)) for t in trials}
    assert states == {
        "none": ("COMPLETE", 0),
        "SIGKILL": ("FAIL", 1),
        "raise": ("FAIL", 0),
        "exit": ("FAIL", 1),
    }


def test_a_stack_that_needs_more_open_files_than_allowed_is_named(tmp_path: Path) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    setup = Setup(context=None, singletons=None, heartbeat=None)  # type: ignore[arg-type]
    pool = Pool(tmp_path, setup, [Gpu()], stack=200)
    job = Job(0, 0, 0, "0", 0, (), is_prunable=False, is_alone=False)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(soft, 100), hard))
    try:
        with pytest.raises(UserError, match=r"hydra.sweeper.stack=200: .*ulimit -n allows 100"):
            pool.give(0, job)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert pool.busy_slots() == []
