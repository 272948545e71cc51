"""What this machine has for a sweep's workers."""

from dataclasses import dataclass
from pathlib import Path

import psutil

from cnnsweep.machine.cgroups import read_limits
from cnnsweep.machine.cores import physical_cores
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
    """Physical cores that this process may use, at most LOKY_MAX_CPU_COUNT, which joblib minds."""
    from joblib import cpu_count  # 0.1 s that only a sweep spends

    return max(1, min(int(cpu_count()), physical_cores(root)))
