"""How many physical cores this process may use at a time."""

import math
import os
from pathlib import Path

import psutil

from cnnsweep.machine.cgroups import read_limits


def physical_cores(root: Path = Path("/")) -> int:
    """Physical cores of the process's affinity, at least 1; ``root`` is where ``sys`` is.

    Two threads of one core share what it can compute, so they count once. Where the system does not
    describe its cores, all of its physical ones.
    """
    try:
        cpus = os.sched_getaffinity(0)  # only on Linux
        folder = root / "sys/devices/system/cpu"
        return len({(folder / f"cpu{c}/topology/thread_siblings_list").read_text() for c in cpus})
    except (AttributeError, OSError):
        return psutil.cpu_count(logical=False) or os.cpu_count() or 1


def within(quota: float | None, cores: int) -> int:
    """The cores of a quota (None: no limit), at most ``cores``; half a core counts as one."""
    return cores if quota is None else max(1, min(cores, math.ceil(quota)))


def usable_cores(root: Path = Path("/")) -> int:
    """Physical cores that affinity and quota leave us; ``root`` is where ``proc`` and ``sys`` are.

    A quota is a container's or a batch system's.
    """
    return within(read_limits(root).quota, physical_cores(root))
