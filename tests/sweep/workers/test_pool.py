"""Workers side by side: none waits for another, and they share cores and GPUs."""

import os
from pathlib import Path

import pytest

from cnnsweep.errors import UserError
from cnnsweep.sweep.spec import resources
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


def test_threads_never_exceed_the_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("joblib.cpu_count", lambda: 12)
    each = {jobs: resources.threads_each(jobs) for jobs in (1, 2, 5, 6, 7, 12, 13, 1000)}
    assert each == {1: 12, 2: 6, 5: 2, 6: 2, 7: 1, 12: 1, 13: 1, 1000: 1}


@pytest.mark.parametrize(("quota", "threads"), [("max 100000", 8), ("350000 100000", 4)])
def test_a_containers_quota_counts_as_its_cores(
    quota: str, threads: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "cpu.max").write_text(f"{quota}\n")
    group, real = "/sys/fs/cgroup/cpu.max", open
    monkeypatch.delenv("LOKY_MAX_CPU_COUNT", raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: 8)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(8)), raising=False)
    monkeypatch.setattr(os.path, "exists", lambda path: path == group)
    monkeypatch.setattr(
        "builtins.open",
        lambda path, *a, **k: real(tmp_path / "cpu.max" if path == group else path, *a, **k),
    )
    assert resources.threads_each(1) == threads


@pytest.mark.parametrize(
    ("visible", "typed", "slots"),
    [
        ("", None, [None, None, None]),
        ("3,5", None, ["3", "5", "3"]),
        ("3,5", [0, 1, 1], ["3", "5", "5"]),
        ("", [2], ["2", "2", "2"]),
    ],
)
def test_workers_take_devices_in_turn(
    monkeypatch: pytest.MonkeyPatch, visible: str, typed: list[int] | None, slots: list[str | None]
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    assert resources.devices_of_slots(typed, 3) == slots


def test_a_gpu_that_is_not_there_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "3,5")
    with pytest.raises(UserError, match="there is no GPU 2; allowed are 0 to 1"):
        resources.devices_of_slots([2], 1)


def test_a_worker_has_its_device_before_anything_is_imported(tmp_path: Path) -> None:
    settings = ("hydra/sweeper/sampler=grid", "lr=0.1,0.2", "hydra.sweeper.devices=[7,4]")
    done = sweep(TOY, tmp_path / "sweep", *settings, "mishap=tell_device", "epoch_seconds=0.3")
    assert done.code == 0, done.text
    told = {(tmp_path / f"sweep/{number}/device").read_text() for number in (0, 1)}
    assert told == {"7", "4"}


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
