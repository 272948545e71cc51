"""What was asked of a launcher, and which of its jobs are here, may still come, or are gone."""

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from hydra.core.utils import JobReturn, JobStatus

from cnnsweep.outcome import one_line

# A cluster may start a lost job again by itself (requeued by SLURM, retried by Ray).
_RETURN_SECONDS = 10.0
_AGAIN_SECONDS = 10.0  # between two launches
_VAIN = 3  # launches in a row that may end without a worker

Launch = Callable[[int, int], Sequence[JobReturn]]


@dataclass
class _Asked:
    jobs: int
    is_over: bool = False
    error: str | None = None
    came: bool = False  # whether any of its jobs ever came
    here: set[int] = field(default_factory=set)
    left_at: dict[int, float] = field(default_factory=dict)

    def may_come(self, now: float) -> int:
        """How many of its jobs wait for their turn, or may come again."""
        if self.is_over:
            return 0
        gone = sum(now - at > _RETURN_SECONDS for at in self.left_at.values())
        return self.jobs - len(self.here) - gone


class Launches:
    """Launches run in threads of their own, since a launcher waits for the end of its jobs."""

    def __init__(self, launch: Launch) -> None:
        """``launch(number, jobs)`` runs so many jobs and returns what became of them."""
        self._launch = launch
        self._all: list[_Asked] = []
        self._threads: list[threading.Thread] = []
        self._asked_at = float("-inf")

    def keep(self, wanted: int) -> None:
        """Ask for as many jobs as are missing of ``wanted``."""
        now = time.monotonic()
        missing = wanted - sum(len(asked.here) + asked.may_come(now) for asked in self._all)
        if missing <= 0 or now - self._asked_at < _AGAIN_SECONDS:
            return
        self._asked_at = now
        asked = _Asked(missing)
        thread = threading.Thread(target=self._run, args=(len(self._all), asked), daemon=True)
        self._all.append(asked)
        self._threads.append(thread)
        thread.start()

    def came(self, launch: int, job: int) -> None:
        """A job has reported, and has a worker."""
        asked = self._all[launch]
        asked.came = True
        asked.left_at.pop(job, None)
        asked.here.add(job)

    def refused(self, launch: int, job: int, reason: str) -> None:
        """A job has reported, and cannot work."""
        self._all[launch].error = reason
        self._all[launch].left_at[job] = time.monotonic()

    def went(self, launch: int, job: int) -> None:
        """A job that had reported is gone."""
        self._all[launch].here.discard(job)
        self._all[launch].left_at[job] = time.monotonic()

    def failure(self) -> str | None:
        """Why there is no hope for workers: the last launch failed, or several came to nothing."""
        over = [asked for asked in self._all if asked.is_over]
        if len(over) < len(self._all) or not over or over[-1].came:
            return None
        if over[-1].error is not None:
            return over[-1].error
        in_vain = len(over) >= _VAIN and not any(asked.came for asked in over[-_VAIN:])
        return "its jobs end before they report" if in_vain else None

    def last_error(self) -> str | None:
        """What the launcher complained of last."""
        return next((a.error for a in reversed(self._all) if a.error is not None), None)

    def join(self, seconds: float) -> None:
        """Wait for the launchers to see that their jobs are over."""
        deadline = time.monotonic() + seconds
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))

    def _run(self, number: int, asked: _Asked) -> None:
        try:
            returns = self._launch(number, asked.jobs)
        except Exception as error:  # noqa: BLE001 — kept for whoever asks why there are no workers
            asked.error = one_line(error)
        else:
            asked.error = asked.error or _first_error(returns)
        finally:
            asked.is_over = True


def _first_error(returns: Sequence[JobReturn]) -> str | None:
    values = [r._return_value for r in returns if r.status is JobStatus.FAILED]
    return one_line(values[0]) if values else None
