"""The limits of control groups, in made-up trees of both versions and in real groups."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from cnnsweep.machine.cgroups import Limits, read_limits

V2 = "31 30 0:26 {top} /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw"
V1 = "\n".join(
    f"{number} 30 0:{number} {{top}} /sys/fs/cgroup/{name} rw shared:9 - cgroup cgroup rw,{name}"
    for number, name in ((32, "cpu,cpuacct"), (33, "memory"))
)
GIB = 2**30


def tree(root: Path, mounts: str, groups: str, files: dict[str, str]) -> Path:
    (root / "proc/self").mkdir(parents=True)
    (root / "proc/self/mountinfo").write_text(f"{mounts}\n")
    (root / "proc/self/cgroup").write_text(f"{groups}\n")
    for name, text in files.items():
        path = root / "sys/fs/cgroup" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{text}\n")
    return root


@pytest.mark.parametrize("depth", [0, 1, 2])
@pytest.mark.parametrize("quota", ["max 100000", "350000 100000", "50000 100000"])
def test_a_quota_holds_wherever_it_stands_above_the_process(
    depth: int, quota: str, tmp_path: Path
) -> None:
    place = "/".join(("jobs", "one")[:depth])
    files = {"jobs/one/cpu.max": "max 100000", "cpu.max": "max 100000"}
    files |= {f"{place}/cpu.max".lstrip("/"): quota, "jobs/other/cpu.max": "1000 100000"}
    root = tree(tmp_path, V2.format(top="/"), "0::/jobs/one", files)
    wanted = {"m": None, "3": 3.5, "5": 0.5}[quota[0]]
    assert read_limits(root).quota == wanted


@pytest.mark.parametrize("inner", ["max 100000", "400000 100000", "150000 100000"])
def test_the_smallest_of_nested_quotas_counts(inner: str, tmp_path: Path) -> None:
    files = {"a/cpu.max": "200000 100000", "a/b/cpu.max": inner}
    root = tree(tmp_path, V2.format(top="/"), "0::/a/b", files)
    assert read_limits(root).quota == (1.5 if inner.startswith("15") else 2.0)


@pytest.mark.parametrize("group", ["/", "/docker/8a", "/docker/8a/job", "/../other", "/else"])
def test_a_container_sees_its_own_group_as_the_root(group: str, tmp_path: Path) -> None:
    """Under any name: the host's (mounted from there), its own namespace's, or one outside."""
    files = {"cpu.max": "200000 100000", "job/cpu.max": "100000 100000"}
    root = tree(tmp_path, V2.format(top="/docker/8a"), f"0::{group}", files)
    assert read_limits(root).quota == (1.0 if group.endswith("job") else 2.0)


@pytest.mark.parametrize("names", ["cpu,cpuacct", "cpuacct,cpu"])
@pytest.mark.parametrize(("quota", "cores"), [("-1", None), ("250000", 2.5)])
def test_version_1_has_a_hierarchy_for_each_controller(
    names: str, quota: str, cores: float | None, tmp_path: Path
) -> None:
    limit, none = str(3 * GIB), "9223372036854771712"
    files = {
        "cpu,cpuacct/slurm/job/cpu.cfs_quota_us": "-1",
        "cpu,cpuacct/slurm/job/cpu.cfs_period_us": "100000",
        "cpu,cpuacct/slurm/cpu.cfs_quota_us": quota,
        "cpu,cpuacct/slurm/cpu.cfs_period_us": "100000",
        "memory/slurm/job/memory.limit_in_bytes": none,
        "memory/slurm/job/memory.usage_in_bytes": "0",
        "memory/slurm/memory.limit_in_bytes": limit,
        "memory/slurm/memory.usage_in_bytes": str(2 * GIB),
        "memory/slurm/memory.stat": f"cache 5\ntotal_inactive_file {GIB}\n",
    }
    groups = f"9:name=systemd:/x\n4:{names}:/slurm/job\n3:memory:/slurm/job\n0::/y"
    root = tree(tmp_path, V1.format(top="/"), groups, files)
    assert read_limits(root) == Limits(cores, 2 * GIB)


def test_both_versions_side_by_side_count_both(tmp_path: Path) -> None:
    mounts = (
        V1.format(top="/") + "\n" + V2.format(top="/").replace("cgroup rw", "cgroup/unified rw")
    )
    files = {
        "cpu,cpuacct/cpu.cfs_quota_us": "300000",
        "cpu,cpuacct/cpu.cfs_period_us": "100000",
        "unified/cpu.max": "200000 100000",
    }
    root = tree(tmp_path, mounts, "4:cpu,cpuacct:/\n0::/", files)
    assert read_limits(root) == Limits(2.0, None)


@pytest.mark.parametrize(
    ("most", "used", "stat", "free"),
    [
        ("max", GIB, "", None),
        (str(4 * GIB), GIB, "anon 5\n", 3 * GIB),
        (str(4 * GIB), 4 * GIB, f"inactive_file {3 * GIB}\n", 3 * GIB),
        (str(4 * GIB), 5 * GIB, "", 0),
    ],
)
def test_memory_is_the_limit_less_what_cannot_be_freed(
    most: str, used: int, stat: str, free: int | None, tmp_path: Path
) -> None:
    files = {"memory.max": most, "memory.current": str(used), "memory.stat": stat}
    root = tree(tmp_path, V2.format(top="/"), "0::/", files)
    assert read_limits(root) == Limits(None, free)


@pytest.mark.parametrize(
    "text", ["", "0::", "nonsense", "0::/a\n:::\n1:cpu", "\x00\n31 30\n - cgroup"]
)
def test_files_that_say_nothing_limit_nothing(text: str, tmp_path: Path) -> None:
    assert read_limits(tmp_path) == Limits(None, None)
    root = tree(tmp_path, text, text, {"cpu.max": "fast", "memory.max": "-"})
    assert read_limits(root) == Limits(None, None)


def hierarchy(controller: str) -> tuple[Path, dict[str, str]]:
    """Where groups of this machine can be made for a controller, and the files of a limit."""
    top = Path("/sys/fs/cgroup")
    if (top / "cgroup.controllers").exists():
        files = {"cpu": {"cpu.max": "150000 100000"}, "memory": {"memory.max": str(GIB)}}
        return top, files[controller]
    files = {
        "cpu": {"cpu.cfs_period_us": "100000", "cpu.cfs_quota_us": "150000"},
        "memory": {"memory.limit_in_bytes": str(GIB)},
    }
    return top / controller, files[controller]


@contextmanager
def group(controller: str) -> Iterator[Path]:
    """A group within a new group that has the limit."""
    top, files = hierarchy(controller)
    outer = top / f"cnnsweep-test-{os.getpid()}"
    try:
        (outer / "inner").mkdir(parents=True)
        for name, value in files.items():
            (outer / name).write_text(value)
    except OSError as error:
        remove(outer)
        pytest.skip(f"no control group can be made here: {error}")
    try:
        yield outer / "inner"
    finally:
        remove(outer)


def remove(outer: Path) -> None:
    for folder in (outer / "inner", outer):
        if folder.exists():
            folder.rmdir()


def within(folder: Path, code: str) -> str:
    """What a Python that has put itself into a group prints."""
    join = f"import os, pathlib; pathlib.Path({str(folder / 'cgroup.procs')!r}).write_text('0')"
    done = subprocess.run(
        [sys.executable, "-c", f"{join}\n{code}"], capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def test_a_real_quota_is_found() -> None:
    code = "from cnnsweep.sweep.machine.facts import read_machine; print(read_machine().quota)"
    with group("cpu") as folder:
        assert within(folder, code) == "1.5"


def test_a_real_limit_of_memory_is_found() -> None:
    code = (
        "from cnnsweep.sweep.machine.facts import read_machine; print(read_machine().free_memory)"
    )
    with group("memory") as folder:
        assert 0.7 * GIB < int(within(folder, code)) < GIB
