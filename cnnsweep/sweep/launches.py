"""What was asked of a launcher, so that as many workers are there, or on their way, as wanted."""

import time
from collections.abc import Callable
from itertools import takewhile

from cnnsweep.sweep.launch import Launch

_AGAIN_SECONDS = 10.0  # between two launches
_QUEUED_SECONDS = 30.0  # the same, until the jobs are in their cluster's queue for certain
_VAIN = 3  # launches in a row that end without a worker, and no other is asked for


class Launches:
    """All launches of a sweep, numbered from 0."""

    def __init__(
        self, launch: Callable[[int, int], Launch], queued: Callable[[], int | None] | None
    ) -> None:
        """``launch(number, jobs)`` asks for so many jobs.

        ``queued`` asks the cluster how many of them run or wait, also to run again; its answer is
        None where it does not know.
        """
        self._launch = launch
        self._queued = queued
        self._all: list[Launch] = []
        self._asked_at = float("-inf")

    def keep(self, wanted: int) -> None:
        """Ask for as many jobs as are missing of ``wanted``."""
        now = time.monotonic()
        here = sum(len(one.here) for one in self._all)
        pause = _AGAIN_SECONDS if self._queued is None else _QUEUED_SECONDS
        if here >= wanted or now - self._asked_at < pause:
            return
        missing = wanted - max(here, self._expected(now))
        if missing > 0:
            self._asked_at = now
            self._all.append(self._launch(len(self._all), missing))

    def _expected(self, now: float) -> int:
        """How many jobs are here, wait for their turn, or may come again."""
        queued = None if self._queued is None or not self._all else self._queued()
        if queued is None:
            return sum(len(one.here) + one.may_come(now) for one in self._all)
        if queued == 0:
            for one in self._all:
                one.forget()
        return queued

    def came(self, launch: int, job: int) -> None:
        """A job has reported, and has a worker."""
        one = self._all[launch]
        one.came = True
        one.left_at.pop(job, None)
        one.here.add(job)

    def went(self, launch: int, job: int) -> None:
        """A job that had a worker is gone."""
        self._all[launch].here.discard(job)
        self._all[launch].left_at[job] = time.monotonic()

    def refused(self, launch: int, job: int, reason: str) -> None:
        """A job has reported, and cannot work."""
        self._all[launch].refuse(job, reason, time.monotonic())

    def failure(self) -> str | None:
        """Why there is no hope for workers.

        The first launch failed; or, since a launch may fail for once, several in a row did, or
        came to nothing.
        """
        if not self._all or not all(one.is_over() for one in self._all):
            return None
        in_vain = list(takewhile(lambda one: not one.came, reversed(self._all)))
        if len(in_vain) >= _VAIN:
            return self._all[-1].error() or "its jobs end before they report"
        return self._all[-1].error() if len(in_vain) == len(self._all) else None

    def last_error(self) -> str | None:
        """What the launcher complained of last."""
        errors = [one.error() for one in self._all if one.is_over()]
        return next((error for error in reversed(errors) if error is not None), None)

    def end(self, seconds: float) -> None:
        """Wait ``seconds`` in all for the launchers to see that their jobs are over; end them."""
        deadline = time.monotonic() + seconds
        for one in self._all:
            one.end(deadline - time.monotonic())
