"""Workers side by side: none waits for another."""

from pathlib import Path

import pytest

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
