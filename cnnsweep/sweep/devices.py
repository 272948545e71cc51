"""Cores and GPUs, shared out among workers before any of them imports torch."""

import os
import shutil
import subprocess
from collections.abc import Sequence
from typing import Any


def threads_each(n_jobs: int) -> int:
    """CPU threads for each worker, so that together they have no more than there are cores."""
    return max(1, len(os.sched_getaffinity(0)) // n_jobs)


def devices_of_slots(typed: Sequence[Any] | None, n_jobs: int) -> list[str | None]:
    """CUDA_VISIBLE_DEVICES of each worker: the listed devices in turn, by default every GPU once.

    None, to leave the variable alone, where there is no GPU.
    """
    devices = _visible() if typed is None else [str(device) for device in typed]
    return [devices[slot % len(devices)] if devices else None for slot in range(n_jobs)]


def _visible() -> list[str]:
    listed = os.environ.get("CUDA_VISIBLE_DEVICES")
    if listed is not None:
        return [device.strip() for device in listed.split(",") if device.strip()]
    if shutil.which("nvidia-smi") is None:
        return []
    command = ["nvidia-smi", "--query-gpu=index", "--format=csv,noheader"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stdout.split() if done.returncode == 0 else []
