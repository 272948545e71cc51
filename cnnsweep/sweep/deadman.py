"""A worker never acts after its host was taken for gone: others may have its trial then.

The kernel's timer ends it. It is wound up as long as the launching process shows life; where that
or this process is stopped, it runs down, and a stopped process dies of it before it does anything.
"""

import os
import signal
import threading
import time
from pathlib import Path

_LOOK_SECONDS = 1.0


def die_when_silent(beat: Path, seconds: float) -> None:
    """End this process ``seconds`` after the last sign of life: ``beat`` is touched."""
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
        time.sleep(_LOOK_SECONDS)


def _touched(beat: Path) -> int:
    with beat.open() as file:
        return os.fstat(file.fileno()).st_mtime_ns
