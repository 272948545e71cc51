"""Ends a process whose launching process has died or is stopped."""

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
    """Kill this process, and all it started, as soon as its parent has died.

    ``lifeline`` reads from a pipe whose other end only the parent holds, so that it is at its end
    when the parent dies. On Linux the kernel also sends SIGKILL, even while C code blocks Python.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    threading.Thread(target=_wait_for_end, args=(lifeline,), daemon=True).start()


def _wait_for_end(lifeline: int) -> None:
    os.read(lifeline, 1)
    os.killpg(0, signal.SIGKILL)


def die_without_heartbeat(beat: Path, seconds: float) -> None:
    """Kill this process with SIGALRM ``seconds`` after the launching process last touched ``beat``.

    The timer is the kernel's. In a process that was stopped it fires on SIGCONT before any Python
    runs, so that nothing more is done for a trial that another host has taken over.
    """
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    threading.Thread(target=_watch, args=(beat, seconds), daemon=True).start()


def _watch(beat: Path, seconds: float) -> None:
    last: int | None = None
    while True:
        touched = last
        try:
            with beat.open() as file:  # NFS looks at the server when a file is opened
                touched = os.fstat(file.fileno()).st_mtime_ns
        except FileNotFoundError:  # another host has removed it: this host counts as gone
            os.killpg(0, signal.SIGKILL)
        except OSError:  # the file system may recover; if it does not, the timer ends this
            pass
        if touched != last:
            last = touched
            signal.setitimer(signal.ITIMER_REAL, seconds)
        time.sleep(LOOK_SECONDS)
