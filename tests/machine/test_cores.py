"""Cores of made-up machines, as Linux describes them."""

import os
from pathlib import Path

import pytest

from cnnsweep.machine.cores import physical_cores, usable_cores, within


def made(root: Path, siblings: dict[int, str], quota: str | None) -> Path:
    for cpu, text in siblings.items():
        folder = root / f"sys/devices/system/cpu/cpu{cpu}/topology"
        folder.mkdir(parents=True)
        (folder / "thread_siblings_list").write_text(text + "\n")
    (root / "proc/self").mkdir(parents=True)
    (root / "proc/self/cgroup").write_text("0::/\n")
    mount = "31 30 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n"
    (root / "proc/self/mountinfo").write_text(mount)
    (root / "sys/fs/cgroup").mkdir(parents=True)
    if quota is not None:
        (root / "sys/fs/cgroup/cpu.max").write_text(f"{quota} 100000")
    return root


@pytest.mark.parametrize(
    ("cpus", "quota", "cores"),
    [
        ({0, 1, 2, 3}, None, 2),
        ({0, 2}, None, 1),
        ({0, 1}, None, 2),
        ({3}, None, 1),
        ({0, 1, 2, 3}, "100000", 1),
        ({0, 1, 2, 3}, "150000", 2),
        ({0, 1, 2, 3}, "50000", 1),
        ({0, 1, 2, 3}, "1600000", 2),
        ({0, 1, 2, 3}, "max", 2),
    ],
)
def test_physical_cores_of_the_affinity_within_the_quota(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cpus: set[int], quota: str | None, cores: int
) -> None:
    root = made(tmp_path, {0: "0,2", 1: "1,3", 2: "0,2", 3: "1,3"}, quota)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: cpus, raising=False)
    assert usable_cores(root) == cores
    assert physical_cores(root) >= cores


@pytest.mark.parametrize("quota", [None, 0.1, 0.5, 1.0, 1.01, 2.0, 3.5, 100.0])
@pytest.mark.parametrize("cores", [1, 2, 16])
def test_a_quota_leaves_one_core_or_more_and_no_more_than_there_are(
    quota: float | None, cores: int
) -> None:
    left = within(quota, cores)
    assert 1 <= left <= cores
    assert left == cores if quota is None else left >= min(quota, cores)
