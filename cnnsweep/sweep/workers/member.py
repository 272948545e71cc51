"""A job that takes turns with others in one process: it runs in a greenlet of its own."""

import signal
from collections.abc import Callable
from contextvars import copy_context
from dataclasses import dataclass
from types import FrameType
from typing import Any

from greenlet import getcurrent, greenlet

from cnnsweep.process import Terminated, hold, release, terminate
from cnnsweep.sweep.spec.messages import Finished, Job
from cnnsweep.sweep.workers.process_state import ProcessState


@dataclass(frozen=True)
class WantsEpoch:
    """Its next epoch is to be trained. The word for it is what `epoch_reporter.together` says."""

    trainer: Any


@dataclass(frozen=True)
class WantsAnswer:
    """It waits for the answer to the epoch that it reported; that is the word for it."""


@dataclass(frozen=True)
class WantsTime:
    """It waits until ``time.monotonic()`` is ``until``."""

    until: float


Wish = WantsEpoch | WantsAnswer | WantsTime


class Stop:
    """SIGTERM raises Terminated, but never while the state of the process is swapped."""

    def __init__(self) -> None:
        self._has_come = False
        signal.signal(signal.SIGTERM, self._come)

    def _come(self, _number: int, _frame: FrameType | None) -> None:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        self._has_come = True
        terminate()

    def swapping(self) -> None:
        """From now on it waits."""
        hold()

    def swapped(self) -> None:
        """From now on it does not wait any more; raises Terminated whenever it has come."""
        release()
        if self._has_come:
            raise Terminated


_members: dict[greenlet, "Member"] = {}


def at_work() -> "Member":
    """The member whose turn it is, in code that it runs."""
    return _members[getcurrent()]


class Member:
    """One job, run by ``work`` until it wishes for something or is over."""

    def __init__(self, job: Job, work: Callable[["Member"], Finished], stop: Stop) -> None:
        self.job = job
        self.wish: Wish | None = None  # of a member that is not over
        self.finished: Finished | None = None  # once it is over, unless it was terminated
        self.trains_alone = False
        self._work = work
        self._stop = stop
        self._hub = getcurrent()
        self._greenlet = greenlet(self._live, self._hub)
        self._greenlet.gr_context = copy_context()
        self._state: ProcessState | None = None

    def go_on(self, word: object = None) -> None:
        """Give it what it wished for; returns when it wishes for something else or is over.

        Raises:
            Terminated: SIGTERM has come.
        """
        self._take_turn(lambda: self._greenlet.switch(word))

    def terminate(self) -> None:
        """Have it end as by SIGTERM, which has come."""
        if not self._greenlet.dead:
            self._take_turn(lambda: self._greenlet.throw(Terminated))

    def use_torch_settings(self) -> None:
        """Have torch compute as this member does."""
        if self._state is not None:
            self._state.use_torch_settings()

    def ask(self, wish: Wish) -> Any:
        """Called by the member itself: wait for what it wishes."""
        self.wish = wish
        self._stop.swapping()
        try:
            return self._hub.switch()
        finally:
            self.wish = None
            self._stop.swapped()

    def _take_turn(self, switch: Callable[[], object]) -> None:
        self._stop.swapping()
        others = ProcessState.capture()
        if self._state is not None:
            self._state.restore()
            self._state = None
        switch()
        if not self._greenlet.dead:
            self._state = ProcessState.capture()
        others.restore()
        self._stop.swapped()

    def _live(self, _word: object) -> None:
        _members[self._greenlet] = self
        try:
            self._stop.swapped()
            self.finished = self._work(self)
        except Terminated:
            pass
        finally:
            self._stop.swapping()
            del _members[self._greenlet]
