"""GPUs, found and shared out among workers before any of them imports torch."""

import os
import platform
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path
from typing import Any

from cnnsweep.errors import UserError
from cnnsweep.machine.gpu_share import NONE, VARIABLE, own_share

# One of these is there where a driver is.
_DRIVERS = ("dev/nvidiactl", "dev/kfd", "dev/dxg")


def visible_gpus(root: Path = Path("/")) -> tuple[str, ...]:
    """The GPUs that we may use, as CUDA_VISIBLE_DEVICES names them; ``root`` is where ``dev`` is.

    That variable may be set on a machine without any. Apple's GPU is one that nobody lists.
    """
    if platform.system() == "Darwin":
        return ("0",) if platform.machine() == "arm64" else ()
    listed = os.environ.get("CUDA_VISIBLE_DEVICES")
    has_tool = shutil.which("nvidia-smi") is not None
    if listed is not None:
        has_driver = has_tool or any((root / name).exists() for name in _DRIVERS)
        named = (device.strip() for device in listed.split(",")) if has_driver else ()
        return tuple(takewhile(lambda name: name not in ("", "-1"), named))  # as CUDA reads it
    if not has_tool:
        return ()
    command = ["nvidia-smi", "--query-gpu=index", "--format=csv,noheader"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return tuple(done.stdout.split()) if done.returncode == 0 else ()


@dataclass(frozen=True)
class Gpu:
    """What a worker has of the GPUs.

    ``visible`` as CUDA_VISIBLE_DEVICES names it, None where that stays as it is. ``workers`` of
    this launch share it, this one counted.
    """

    visible: str | None = None
    workers: int = 1

    def environment(self) -> dict[str, str]:
        """What it says in the environment of the worker.

        Where this process has a share only, its workers divide that; none, where it says so.
        """
        chosen = {} if self.visible is None else {"CUDA_VISIBLE_DEVICES": self.visible}
        if os.environ.get(VARIABLE) == NONE:
            return chosen
        share = own_share() / self.workers
        return chosen if share == 1 else chosen | {VARIABLE: str(share)}


def gpus_of_workers(devices: Sequence[str | None], *, share_one: bool) -> list[Gpu]:
    """The GPU of each worker, of ``devices`` as `devices_of_slots` gives them.

    ``share_one``: all workers have the same one though nothing is chosen for them.
    """
    if share_one:
        return [Gpu(device, len(devices)) for device in devices]
    return [Gpu(device, 1 if device is None else devices.count(device)) for device in devices]


def devices_of_slots(
    typed: Sequence[Any] | None, visible: Sequence[str], slots: int
) -> list[str | None]:
    """CUDA_VISIBLE_DEVICES of each worker: the listed devices in turn, by default every GPU once.

    Numbers count the GPUs that are visible to us. None, to leave the variable alone, where there
    is no GPU.

    Raises:
        UserError: a number has no GPU.
    """
    devices = visible if typed is None else [_device(device, visible) for device in typed]
    return [devices[slot % len(devices)] if devices else None for slot in range(slots)]


def _device(typed: Any, visible: Sequence[str]) -> str:
    if not visible or not isinstance(typed, int):
        return str(typed)
    if not 0 <= typed < len(visible):
        raise UserError(
            f"hydra.sweeper.devices: there is no GPU {typed}; allowed are 0 to {len(visible) - 1}"
        )
    return visible[typed]
