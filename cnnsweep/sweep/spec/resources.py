"""Cores and GPUs, shared out among workers before any of them imports torch."""

import os
import shutil
import subprocess
from collections.abc import Sequence
from typing import Any

from cnnsweep.errors import UserError


def threads_each(n_jobs: int) -> int:
    """CPU threads for each worker, so that together they have no more than there are cores."""
    return max(1, _cores() // n_jobs)


def _cores() -> int:
    """Cores that this process may use; macOS knows no such limit."""
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity is not None else os.cpu_count() or 1


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
