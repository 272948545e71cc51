"""Threads that wait for each other asleep while other programs need the CPU, and awake else.

The threads of a step meet after each operation. In GNU's OpenMP (libgomp, which torch brings on
Linux) the first ones spin until the last has come, for some milliseconds: the fastest way on a
quiet machine. Where another program runs, the last one may be waiting for a core, and the spinning
ones keep the cores busy that it needs: a second thread then makes a run up to thirty times slower.

libgomp spins hardly at all while it has more threads than there are CPUs (``gomp_throttled_spin_
count_var`` in its ``config/linux/wait.h``), whoever uses them. So a team of threads that sleep is
kept while the machine is busy. Neither the number of threads that compute nor any result changes.
"""

import ctypes
import logging
import math
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from time import monotonic

import torch

log = logging.getLogger(__name__)

_CHOSEN_BY_OTHERS = ("OMP_WAIT_POLICY", "GOMP_SPINCOUNT")
_TASKS = Path("/proc/self/task")
_MOST = 64  # threads that sleep
_SPARE = 8  # threads that something else may start meanwhile
_EVERY = 0.1  # seconds between two looks
_BUSY = 0.1  # share of a thread's time that it waits for a core
_QUIET = 0.05  # alone it is below 0.01; sleeping beside one program on two cores it is 0.2
_CALM = 1.0  # seconds without waiting after which threads spin again; doubled each time in vain
_LONGEST_CALM = 60.0


@contextmanager
def minding_other_programs(threads: int) -> Iterator[None]:
    """In the block, threads that wait for each other sleep while they have to wait for a core.

    Does nothing for a single thread, without libgomp or Linux's figures of waiting, and where
    OMP_WAIT_POLICY or GOMP_SPINCOUNT says how threads are to wait.
    """
    sleepers = libgomps_sleepers(threads) if threads > 1 else None
    if sleepers is None or not _waited():
        yield
        return
    over = threading.Event()
    watch = threading.Thread(
        target=_watch, args=(sleepers, threads, over), name="busy machine", daemon=True
    )
    watch.start()
    try:
        yield
    finally:
        over.set()
        watch.join()


class Sleepers:
    """A team of libgomp's threads that compute nothing, enough of them to be more than the CPUs."""

    def __init__(self, openmp: ctypes.CDLL, number: int) -> None:
        self._openmp = openmp
        self._number = number
        self._released: threading.Event | None = None
        self._holder: threading.Thread | None = None

    def gather(self) -> bool:
        """From now on libgomp's threads wait asleep, in the whole process.

        Returns False, and changes nothing, where the system allows no such number of threads.
        """
        if not _can_start(self._number):
            return False
        released, there = threading.Event(), threading.Event()
        self._released = released
        self._holder = threading.Thread(
            target=self._hold, args=(there, released), name="sleepers", daemon=True
        )
        self._holder.start()
        there.wait()
        return True

    def release(self) -> None:
        """From now on they spin before they sleep, as is libgomp's default."""
        if self._released is not None and self._holder is not None:
            self._released.set()
            self._holder.join()
            self._released = self._holder = None

    def _hold(self, there: threading.Event, released: threading.Event) -> None:
        # What a compiler makes of "#pragma omp parallel": free(NULL), which does nothing, in each
        # thread. The team lasts as long as the thread that called for it.
        nothing = ctypes.cast(ctypes.CDLL(None).free, ctypes.c_void_p)
        self._openmp.GOMP_parallel(nothing, None, ctypes.c_uint(self._number), ctypes.c_uint(0))
        there.set()
        released.wait()


def _can_start(threads: int) -> bool:
    """Whether there may be so many threads more; libgomp ends the process where there may not."""
    enough, started = threading.Event(), []
    try:
        for _ in range(threads + _SPARE):
            started.append(threading.Thread(target=enough.wait, daemon=True))
            started[-1].start()
    except RuntimeError:
        started.pop()  # the one that did not start
        return False
    finally:
        enough.set()
        for thread in started:
            thread.join()
    return True


def libgomps_sleepers(threads: int) -> Sleepers | None:
    """Of torch's own libgomp, for a process that computes with ``threads`` threads.

    None where there is no such library, where waiting is chosen by others, and where far more CPUs
    than threads leave a place for each.
    """
    if any(name in os.environ for name in _CHOSEN_BY_OTHERS) or not _TASKS.is_dir():
        return None
    library = Path(torch.__file__).parent / "lib" / "libgomp.so.1"
    number = len(os.sched_getaffinity(0)) - threads + 2  # itself the caller's, one more than CPUs
    if not library.exists() or number > _MOST:
        return None
    openmp = ctypes.CDLL(str(library))  # the one that torch has loaded
    return Sleepers(openmp, max(2, number)) if hasattr(openmp, "GOMP_parallel") else None


@dataclass
class Judgement:
    """Whether the machine is busy, told again and again what share of their time threads waited.

    Busy as soon as they wait; quiet once they have hardly waited for a while. That while is twice
    as long each time it proved too short.
    """

    is_busy: bool = False
    _calm: float = _CALM
    _calm_since: float = 0.0
    _quiet_since: float = -math.inf

    def look(self, share: float, now: float) -> bool:
        """Take in the share in 0..1 up to ``now`` (seconds); returns ``is_busy``."""
        if share > _QUIET:
            self._calm_since = now
        if not self.is_busy and share > _BUSY:
            self.is_busy = True
            was_short = now - self._quiet_since < self._calm
            self._calm = min(2 * self._calm, _LONGEST_CALM) if was_short else _CALM
        elif self.is_busy and now - self._calm_since > self._calm:
            self.is_busy, self._quiet_since = False, now
        return self.is_busy


def _watch(sleepers: Sleepers, threads: int, over: threading.Event) -> None:
    judgement, was_busy = Judgement(), False
    before, then = _waited(), monotonic()
    try:
        while not over.wait(_EVERY):
            waited, now = _waited(), monotonic()
            seconds = sum(waited[task] - before[task] for task in waited.keys() & before.keys())
            is_busy = judgement.look(seconds / (threads * (now - then)), now)
            if is_busy and not was_busy:
                if not sleepers.gather():
                    log.info("threads wait for a core, and no more of them may be started")
                    return
                log.info("threads have to wait for a core: they wait for each other asleep")
            elif was_busy and not is_busy:
                sleepers.release()
                log.info("a core is free for each thread again: they wait for each other awake")
            before, then, was_busy = waited, now, is_busy
    finally:
        sleepers.release()


def _waited() -> dict[str, float]:
    """Seconds that each of this process's threads has waited for a core; empty if unknown."""
    found = {}
    for task in _TASKS.iterdir():
        with suppress(OSError):  # no such file; or the thread has ended meanwhile
            found[task.name] = int((task / "schedstat").read_text().split()[1]) / 1e9
    return found
