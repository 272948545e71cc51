"""What this machine has for a sweep's workers."""

import os
from dataclasses import dataclass
from pathlib import Path

import psutil

from cnnsweep.sweep.machine.cgroups import read_limits
from cnnsweep.sweep.machine.gpus import visible_gpus


@dataclass(frozen=True)
class Machine:
    """What we may use of a machine.

    ``cores`` are physical ones, ``quota`` how many of them at a time a container or batch system
    allows (None: all), ``free_memory`` bytes (None: unknown), ``gpus`` as CUDA_VISIBLE_DEVICES
    names them.
    """

    cores: int
    quota: float | None = None
    free_memory: int | None = None
    gpus: tuple[str, ...] = ()


def read_machine(root: Path = Path("/")) -> Machine:
    """This machine, as it is now; ``root`` is where its ``proc``, ``sys`` and ``dev`` are."""
    limits = read_limits(root)
    available = int(psutil.virtual_memory().available)
    return Machine(
        cores=_cores(root),
        quota=limits.quota,
        free_memory=available if limits.memory is None else min(available, limits.memory),
        gpus=visible_gpus(root),
    )


def _cores(root: Path) -> int:
    """Physical cores that this process may use.

    Joblib minds the process's affinity and LOKY_MAX_CPU_COUNT; where the affinity leaves some out
    it counts each thread of a core.
    """
    from joblib import cpu_count  # 0.1 s that only a sweep spends

    try:
        cpus = os.sched_getaffinity(0)  # only on Linux
        folder = root / "sys/devices/system/cpu"
        siblings = {(folder / f"cpu{c}/topology/thread_siblings_list").read_text() for c in cpus}
    except (AttributeError, OSError):
        return int(cpu_count(only_physical_cores=True))
    return max(1, min(int(cpu_count()), len(siblings)))
