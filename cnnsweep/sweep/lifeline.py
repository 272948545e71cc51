"""A worker never outlives the process that launched it."""

import ctypes
import os
import signal
import sys
import threading

_PR_SET_PDEATHSIG = 1


def die_with_parent(lifeline: int) -> None:
    """End this process, and all it started, as soon as its parent is gone.

    ``lifeline`` reads from a pipe whose other end the parent alone holds: it ends when the parent
    does. On Linux the kernel is asked too, which works even while a C call keeps Python waiting.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    threading.Thread(target=_wait_for_end, args=(lifeline,), daemon=True).start()


def _wait_for_end(lifeline: int) -> None:
    os.read(lifeline, 1)
    os.killpg(0, signal.SIGKILL)
