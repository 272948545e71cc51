"""Ends a worker whose launching process is gone or stopped."""

import ctypes
import os
import signal
import sys
import threading
import time
from pathlib import Path

_PR_SET_PDEATHSIG = 1
LOOK_SECONDS = 1.0


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


def die_without_heartbeat(beat: Path, seconds: float) -> None:
    """Kill this process with SIGALRM ``seconds`` after its launch last touched ``beat``.

    The timer is the kernel's: it fires on SIGCONT before any Python runs, so that a worker which
    was stopped does nothing on a trial that another host has taken over.
    """
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    threading.Thread(target=_watch, args=(beat, seconds), daemon=True).start()


def _watch(beat: Path, seconds: float) -> None:
    last: int | None = None
    while True:
        touched = last
        try:
            touched = _touched(beat)
        except FileNotFoundError:  # the others have buried this host
            os.killpg(0, signal.SIGKILL)
        except OSError:  # the file system has a moment's trouble: silence, if it lasts
            pass
        if touched != last:
            last = touched
            signal.setitimer(signal.ITIMER_REAL, seconds)
        time.sleep(LOOK_SECONDS)


def _touched(beat: Path) -> int:
    with beat.open() as file:
        return os.fstat(file.fileno()).st_mtime_ns
