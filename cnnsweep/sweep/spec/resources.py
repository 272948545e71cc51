"""Cores and GPUs, shared out among workers before any of them imports torch."""

import os
import shutil
import subprocess
from collections.abc import Sequence
from typing import Any

from cnnsweep.errors import UserError


def threads_each(n_jobs: int) -> int:
    """CPU threads for each worker, so that together they have no more than we may use cores.

    Joblib minds the process's affinity and a container's quota (cgroups 1 and 2).
    """
    from joblib import cpu_count  # 0.1 s that only a sweep with threads=auto spends

    return max(1, int(cpu_count()) // n_jobs)


def devices_of_slots(typed: Sequence[Any] | None, n_jobs: int) -> list[str | None]:
    """CUDA_VISIBLE_DEVICES of each worker: the listed devices in turn, by default every GPU once.

    Numbers count the GPUs that are visible to us. None, to leave the variable alone, where there
    is no GPU.

    Raises:
        UserError: a number has no GPU.
    """
    visible = _visible()
    devices = visible if typed is None else [_device(device, visible) for device in typed]
    return [devices[slot % len(devices)] if devices else None for slot in range(n_jobs)]


def _device(typed: Any, visible: list[str]) -> str:
    if not visible or not isinstance(typed, int):
        return str(typed)
    if not 0 <= typed < len(visible):
        raise UserError(
            f"hydra.sweeper.devices: there is no GPU {typed}; allowed are 0 to {len(visible) - 1}"
        )
    return visible[typed]


def _visible() -> list[str]:
    listed = os.environ.get("CUDA_VISIBLE_DEVICES")
    if listed is not None:
        return [device.strip() for device in listed.split(",") if device.strip()]
    if shutil.which("nvidia-smi") is None:
        return []
    command = ["nvidia-smi", "--query-gpu=index", "--format=csv,noheader"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stdout.split() if done.returncode == 0 else []
