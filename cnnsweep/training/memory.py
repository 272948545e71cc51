"""Keeping freed memory for the next step."""

import ctypes
import platform

_M_TRIM_THRESHOLD, _M_TOP_PAD, _M_MMAP_THRESHOLD = -1, -2, -3  # glibc's malloc.h
_NEVER = 2**31 - 1
_LARGEST_MMAP_THRESHOLD = 32 * 2**20
_TOP_PAD = 64 * 2**20


def keep_freed_memory() -> None:
    """Have malloc keep what tensors free, instead of giving it back to the kernel at each step.

    A step of a small CNN frees its maps and asks for the same megabytes again. glibc gives them
    back in between, so that the kernel hands out zeroed pages anew: thousands of page faults and up
    to a third of a step's time. Only memory that was in use is kept; other C libraries are left
    alone.
    """
    if platform.libc_ver()[0] != "glibc":
        return
    libc = ctypes.CDLL(None)
    libc.mallopt(_M_MMAP_THRESHOLD, _LARGEST_MMAP_THRESHOLD)
    libc.mallopt(_M_TRIM_THRESHOLD, _NEVER)
    libc.mallopt(_M_TOP_PAD, _TOP_PAD)
