"""Workers over several GPUs, which a faked nvidia-smi lists: each GPU is used, in turn."""

import os
import signal
import time
from collections import Counter
from pathlib import Path

import psutil
import pytest

from cnnsweep.folders.run_folder import RunFolder
from tests.sweep.sweep_commands import (
    OURS,
    Done,
    command,
    finish,
    start,
    sweep,
    workers,
)  # fmt: skip

GRID = ("tests.sweep.toy.app", "hydra/sweeper=grid")
TELL = ("mishap=tell_device", "epochs=1")


@pytest.fixture
def three_gpus(tmp_path: Path) -> dict[str, str]:
    """Variables of a machine whose driver's tool lists three GPUs."""
    tool = tmp_path / "bin" / "nvidia-smi"
    tool.parent.mkdir()
    tool.write_text("#!/bin/sh\necho 0\necho 1\necho 2\n")
    tool.chmod(0o755)
    return {"PATH": f"{tool.parent}{os.pathsep}{os.environ['PATH']}"}


def told(folder: Path, jobs: int) -> list[tuple[str, str]]:
    """CUDA_VISIBLE_DEVICES and the share of it that each job found."""
    return [
        ((folder / str(n) / "device").read_text(), (folder / str(n) / "share").read_text())
        for n in range(jobs)
    ]


def grid(jobs: int, folder: Path, *words: str, **env: str) -> Done:
    """A grid that has a job for each worker, and none of which ends before all have begun."""
    values = ",".join(str((number + 1) / 100) for number in range(jobs))
    done = sweep(GRID, folder, f"lr={values}", *TELL, "epoch_seconds=1", *words, **env)
    assert done.code == 0, done.text
    return done


def test_each_gpu_has_its_workers_in_turn_and_each_worker_its_share(
    tmp_path: Path, three_gpus: dict[str, str]
) -> None:
    grid(5, tmp_path / "grid", "hydra.sweeper.n_jobs=5", **three_gpus)
    two, alone = "1/2", ""
    assert told(tmp_path / "grid", 5) == [
        ("0", two), ("1", two), ("2", alone), ("0", two), ("1", two),
    ]  # fmt: skip


def test_listed_gpus_are_those_that_the_launch_has_and_its_own_share_is_divided(
    tmp_path: Path, three_gpus: dict[str, str]
) -> None:
    own = {"CUDA_VISIBLE_DEVICES": "1,GPU-8a,2", "CNNSWEEP_GPU_SHARE": "1/2"}
    grid(4, tmp_path / "grid", "hydra.sweeper.devices=[1,1,0,2]", **three_gpus, **own)
    assert told(tmp_path / "grid", 4) == [
        ("GPU-8a", "1/4"), ("GPU-8a", "1/4"), ("1", "1/2"), ("2", "1/2"),
    ]  # fmt: skip


def test_a_share_that_is_none_is_refused_before_anything_is_made(tmp_path: Path) -> None:
    words = ("lr=0.1,0.2", "hydra.sweeper.n_jobs=2")
    done = sweep(GRID, tmp_path / "grid", *words, CNNSWEEP_GPU_SHARE="1/0")
    assert done.code == 1
    assert "CNNSWEEP_GPU_SHARE='1/0' is not a share of a GPU: allowed is " in done.text
    assert not (tmp_path / "grid").exists()


def test_a_resumed_launch_gives_its_own_gpus_to_what_an_earlier_one_left(
    tmp_path: Path, three_gpus: dict[str, str]
) -> None:
    folder, values = tmp_path / "grid", ",".join(str((number + 1) / 100) for number in range(4))
    words = (f"lr={values}", "mishap=tell_device", "epochs=3", "epoch_seconds=0.3")
    process = start(command(GRID, folder, *words, "hydra.sweeper.devices=[2,2]"), **three_gpus)
    while len([*folder.glob("*/toy.json")]) < 2:
        assert process.poll() is None, finish(process).text
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    finish(process)
    assert not (folder / "0/result.json").exists()
    assert {*told(folder, 2)} == {("2", "1/2")}
    done = sweep(GRID, folder, *words, "hydra.sweeper.n_jobs=3", **three_gpus)
    assert done.code == 0, done.text
    assert Counter(told(folder, 3)) == Counter([("0", ""), ("1", ""), ("2", "")])


@pytest.mark.slow
def test_the_searches_of_a_comparison_share_all_gpus(
    tmp_path: Path, three_gpus: dict[str, str]
) -> None:
    settings = ("search=compare", "hydra.sweeper.compare.model=[lenet,simple]", "device=cpu")
    counts = ("hydra.sweeper.n_trials=2", "hydra.sweeper.n_jobs=4", "hydra.sweeper.confirm=0")
    tiny = ("data.train_limit=200", "epochs=2", "threads=1", "hydra/sweeper/pruner=none")
    words = (*settings, *counts, *tiny)
    done, found = watched(command(OURS[:1], tmp_path / "sweep", *words), three_gpus)
    assert done.code == 0, done.text
    assert found == [("0", "1/2"), ("0", "1/2"), ("1", None), ("2", None)]


def test_a_stack_is_on_each_gpu(tmp_path: Path, three_gpus: dict[str, str]) -> None:
    tiny = ("data.train_limit=200", "epochs=3", "threads=1", "device=cpu", "pictures=false")
    words = ("model=lenet", "seed=0,1,2,3,4,5", "hydra.sweeper.stack=2", "hydra.sweeper.n_jobs=3")
    line = command(("cnnsweep",), tmp_path / "grid", *words, *tiny)
    done, found = watched(line, three_gpus)
    assert done.code == 0, done.text
    assert found == [("0", None), ("1", None), ("2", None)]
    runs = [RunFolder(tmp_path / "grid" / str(number)).read_result() for number in range(6)]
    assert [run and (run["status"], run["stack"]) for run in runs] == [("completed", 2)] * 6


Variables = tuple[str | None, str | None]  # CUDA_VISIBLE_DEVICES and CNNSWEEP_GPU_SHARE


def watched(line: list[str], env: dict[str, str]) -> tuple[Done, list[Variables]]:
    """A command's end, and the variables that each of its workers had."""
    process = start(line, **env)
    found: dict[int, Variables] = {}
    while process.poll() is None:
        for worker in workers(process):
            if worker.pid not in found:
                found |= variables(worker)
        time.sleep(0.05)
    return finish(process), sorted(found.values(), key=str)


def variables(worker: psutil.Process) -> dict[int, Variables]:
    """Those about GPUs of a worker, by its process id."""
    try:
        there = worker.environ()
    except psutil.Error:  # it has just ended
        return {}
    return {worker.pid: (there.get("CUDA_VISIBLE_DEVICES"), there.get("CNNSWEEP_GPU_SHARE"))}
