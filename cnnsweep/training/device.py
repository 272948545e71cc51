"""Which device, number format and memory a run uses."""

import ctypes
import platform
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch

from cnnsweep.errors import UserError
from cnnsweep.machine.gpu_share import of_allocator, own_share


def resolve_device(name: str) -> torch.device:
    """`auto` is cuda, else mps, else cpu. UserError for a device that this machine lacks."""
    there = _devices()
    if name == "auto":
        return torch.device(there[0])
    wanted = "cuda:0" if name == "cuda" else name
    if wanted not in there:
        raise UserError(
            f"device={name} is not there: this machine has {', '.join(reversed(there))}"
        )
    return torch.device(wanted)


def _devices() -> list[str]:
    """What this machine has, the fastest first."""
    devices = [f"cuda:{index}" for index in range(torch.cuda.device_count())]
    if torch.backends.mps.is_available():
        devices.append("mps")
    return [*devices, "cpu"]


def name_of_gpu(device: torch.device) -> str | None:
    """As its maker calls it; None for a CPU."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return None if device.type == "cpu" else device.type


def resolve_precision(name: str, device: torch.device) -> str:
    """`auto` is bfloat16 where the hardware computes in it, else float32.

    Raises:
        UserError: the device cannot do it.
    """
    if name == "auto":
        return "bfloat16" if _computes_bfloat16(device) else "float32"
    if name == "bfloat16" and device.type == "cuda" and not _computes_bfloat16(device):
        raise UserError(f"precision=bfloat16 is more than {device} can do: allowed is float32")
    return name


def _computes_bfloat16(device: torch.device) -> bool:
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    if device.type == "cpu":
        able = torch.cpu.get_capabilities()
        return bool(able.get("avx512_bf16") or able.get("amx_bf16") or able.get("bf16"))
    return False


def autocast(device: torch.device, precision: str) -> AbstractContextManager[Any]:
    """The context for each forward pass; for float32 it does nothing."""
    if precision == "float32":
        return nullcontext()
    return torch.autocast(device.type, dtype=torch.bfloat16)


def use_deterministic_algorithms(wanted: bool) -> None:
    """Have torch refuse kernels whose results vary from call to call, or allow them."""
    # Called only for a change: it imports torch's compiler, which takes longer than a small run.
    if torch.are_deterministic_algorithms_enabled() != wanted:
        torch.use_deterministic_algorithms(wanted)


def keep_to_share(device: torch.device) -> None:
    """Have torch allocate no more of a GPU than this process's share of it; again is harmless.

    A run that wants more ends with torch.OutOfMemoryError, and its neighbours go on. Does nothing
    on other devices. Raises UserError as `own_share` does.
    """
    share = own_share()
    if device.type == "cuda" and share < 1:
        memory = torch.cuda.get_device_properties(device).total_memory
        torch.cuda.set_per_process_memory_fraction(of_allocator(share, memory), device)


_M_TRIM_THRESHOLD, _M_TOP_PAD, _M_MMAP_THRESHOLD = -1, -2, -3  # glibc's malloc.h
_NEVER = 2**31 - 1
_LARGEST_MMAP_THRESHOLD = 32 * 2**20
_TOP_PAD = 64 * 2**20


def keep_freed_memory() -> None:
    """Have malloc keep what tensors free, instead of giving it back to the kernel at each step.

    A step of a small CNN frees its maps, and the next one asks for as many megabytes. By default
    glibc returns them in between; getting zeroed pages from the kernel again costs thousands of
    page faults and up to a third of a step's time. Does nothing with other C libraries.
    """
    if platform.libc_ver()[0] != "glibc":
        return
    libc = ctypes.CDLL(None)
    libc.mallopt(_M_MMAP_THRESHOLD, _LARGEST_MMAP_THRESHOLD)
    libc.mallopt(_M_TRIM_THRESHOLD, _NEVER)
    libc.mallopt(_M_TOP_PAD, _TOP_PAD)
