"""GPUs, found and shared out among workers before any of them imports torch."""

import os
import platform
import shutil
import subprocess
from collections.abc import Sequence
from itertools import takewhile
from pathlib import Path
from typing import Any

from cnnsweep.errors import UserError

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
