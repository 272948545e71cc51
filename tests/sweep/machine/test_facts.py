"""What is found out about a machine, here a made-up one of 64 cores and 8 GPUs."""

import os
from pathlib import Path

import psutil
import pytest

from cnnsweep.sweep.machine.facts import read_machine

GIB = 2**30


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """64 cores of two threads each, CPU n and CPU n + 64 on one core; a container of version 2."""
    for cpu in range(128):
        folder = tmp_path / f"sys/devices/system/cpu/cpu{cpu}/topology"
        folder.mkdir(parents=True)
        (folder / "thread_siblings_list").write_text(f"{cpu % 64},{cpu % 64 + 64}\n")
    (tmp_path / "proc/self").mkdir(parents=True)
    (tmp_path / "proc/self/cgroup").write_text("0::/\n")
    mount = "31 30 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n"
    (tmp_path / "proc/self/mountinfo").write_text(mount)
    (tmp_path / "sys/fs/cgroup").mkdir(parents=True)
    (tmp_path / "dev").mkdir()
    (tmp_path / "dev/nvidiactl").touch()
    monkeypatch.setattr(os, "cpu_count", lambda: 128)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(128)), raising=False)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0,1,2,3,4,5,6,7")
    monkeypatch.delenv("LOKY_MAX_CPU_COUNT", raising=False)
    return tmp_path


def test_cores_are_counted_not_their_threads(root: Path) -> None:
    machine = read_machine(root)
    assert (machine.cores, machine.quota, len(machine.gpus)) == (64, None, 8)
    assert machine.free_memory == pytest.approx(psutil.virtual_memory().available, rel=0.2)


@pytest.mark.parametrize(
    ("cpus", "cores"),
    [(range(8), 8), ((0, 64), 1), ((0, 1, 64, 65, 66), 3), (range(64, 128), 64)],
)
def test_those_that_the_affinity_leaves_count(
    root: Path, cpus: tuple[int, ...], cores: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(cpus))
    assert read_machine(root).cores == cores


def test_a_person_may_leave_cores_to_others(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOKY_MAX_CPU_COUNT", "5")
    assert read_machine(root).cores == 5


def test_a_containers_limits_are_those_of_its_processes(root: Path) -> None:
    files = {"cpu.max": "600000 100000", "memory.max": str(GIB), "memory.current": str(GIB // 4)}
    for name, text in files.items():
        (root / "sys/fs/cgroup" / name).write_text(text)
    machine = read_machine(root)
    assert (machine.quota, machine.free_memory) == (6.0, GIB - GIB // 4)


def test_without_a_description_of_its_cores_all_physical_ones_count(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(psutil, "cpu_count", lambda logical: 4 + logical)
    assert read_machine(root / "dev").cores == 4
