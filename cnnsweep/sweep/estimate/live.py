"""The time that a running sweep has left, from its own runs, and at first from earlier ones."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from cnnsweep.sweep.estimate.in_words import about
from cnnsweep.sweep.estimate.remaining import (
    FIRST_LINE,
    Pace,
    epochs_left_in_seconds,
    is_due,
    seconds_left,
)
from cnnsweep.sweep.freeze_thaw.curves import curves_of
from cnnsweep.sweep.freeze_thaw.remaining import epochs_left
from cnnsweep.sweep.freeze_thaw.reserve import leader_of
from cnnsweep.sweep.spec.messages import Epoch, Job
from cnnsweep.sweep.study.search import Search

_TOLD_AGAIN = 0.5  # of the seconds that an epoch took: in fewer it was not trained now
OPEN = ("running", "paused", "of")  # counts of trials that are not over


@dataclass(frozen=True)
class Left:
    """Seconds; ``at_most``: fewer are likely."""

    seconds: float
    at_most: bool

    def __str__(self) -> str:
        return f"at most {about(self.seconds)}" if self.at_most else about(self.seconds)


@dataclass(frozen=True)
class Before:
    """What earlier runs like this sweep's took: seconds of a whole run, and of an epoch."""

    run: float
    epoch: float


@dataclass
class TimeLeft:
    """Is told of jobs as they begin, train and end; ``workers`` have one job each at a time."""

    workers: int = 1
    clock: Callable[[], float] = time.monotonic
    _jobs: dict[int, tuple[Job, float]] = field(default_factory=dict)  # with when each began
    _heard: dict[int, float] = field(default_factory=dict)  # by slot: when of its last epoch
    _done: dict[int, int] = field(default_factory=dict)  # by slot: its last epoch
    _free: dict[int, float] = field(default_factory=dict)  # by slot: since when it has no job
    _runs: Pace = field(default_factory=Pace)
    _epochs: Pace = field(default_factory=Pace)
    _confirming: set[str] = field(default_factory=set)
    _began: float | None = None
    _said: float | None = None

    def know(self, before: Before | None) -> None:
        """Begin with what earlier runs took."""
        if before is not None:
            self._runs.before, self._epochs.before = before.run, before.epoch

    def begun(self, slot: int, job: Job) -> None:
        now = self.clock()
        self._began = now if self._began is None else self._began
        idle = now - self._free.pop(slot, now)
        for pace in (self._epochs, self._runs):  # one that waits for others' ends waits longer
            pace.add(min(idle, pace.now() or 0.0), 0.0)
        self._jobs[slot], self._heard[slot] = (job, now), now
        self._done.pop(slot, None)
        if job.trial is None:
            self._confirming.add(job.folder)

    def epoch_ended(self, slot: int, epoch: Epoch) -> None:
        """A run that goes on tells at once of those epochs that it had before."""
        now = self.clock()
        taken = now - self._heard.get(slot, now)
        if taken < _TOLD_AGAIN * float(epoch.metrics.get("train_seconds") or 0.0):
            return
        self._epochs.add(taken)
        self._heard[slot], self._done[slot] = now, epoch.number

    def over(self, slot: int) -> None:
        """What a worker does after a run's last epoch, and until its next run, counts too."""
        now = self._free[slot] = self.clock()
        _, began = self._jobs.pop(slot, (None, None))
        self._epochs.add(now - self._heard.pop(slot, now), 0.0)
        if began is not None:
            self._runs.add(now - began)

    def of(self, searches: Sequence[Search]) -> Left | None:
        """None where nothing is known yet, and where other hosts work on the sweep, too."""
        if not all(search.coordination.is_alone for search in searches):
            return None
        epochs = [_epochs_left(search) for search in searches]
        known = [one for one in epochs if one is not None]
        if len(known) == len(epochs):
            return self._of_epochs(searches, known)
        each = self._seconds_of_run(searches)
        if each is None:
            return None
        running = [self.clock() - began for _, began in self._jobs.values()]
        waiting = sum(self._waiting(search, index) for index, search in enumerate(searches))
        return _in_time(searches, Left(seconds_left(each, running, waiting, self.workers), False))

    def line(self, searches: Sequence[Search]) -> str | None:
        """Now and then, where there is no table."""
        now = self.clock()
        if self._began is None or now - self._began < FIRST_LINE:
            return None
        left = self.of(searches)
        since = None if self._said is None else now - self._said
        if left is None or not is_due(now - self._began, since, left.seconds):
            return None
        self._said = now
        counts = [search.counts() for search in searches]
        over = sum(n for one in counts for word, n in one.items() if word not in OPEN)
        of = sum(one["of"] for one in counts)
        paused = sum(one.get("paused", 0) for one in counts)
        more = f", {paused} {'is' if paused == 1 else 'are'} paused" if paused else ""
        pace = " at this pace" if left.at_most else ""
        return f"{left} left{pace}: {over} of {of} {searches[0].plan.noun}s are over{more}"

    def _of_epochs(
        self, searches: Sequence[Search], known: Sequence[tuple[int, int, bool]]
    ) -> Left | None:
        now = self.clock()
        each = self._epochs.now(now - heard for heard in self._heard.values())
        if each is None or self._epochs.each is None:
            return None
        at_most = any(is_most for *_, is_most in known)
        each = max(each, self._epochs.each) if at_most else each
        confirmations = sum(
            self._confirmations(search) * search.plan.most_epochs for search in searches
        )
        confirming = [
            max(0, searches[job.search_index].plan.most_epochs - self._done.get(slot, 0))
            for slot, (job, _) in self._jobs.items()
            if job.trial is None
        ]
        confirmations += sum(confirming)
        trials = sum(epochs for epochs, _, _ in known)
        alone = max(epochs for _, epochs, _ in known)
        seconds = epochs_left_in_seconds(each, trials, alone, self.workers)
        alone = max(confirming, default=0)
        seconds += epochs_left_in_seconds(each, confirmations, alone, self.workers)
        return _in_time(searches, Left(seconds, at_most))

    def _seconds_of_run(self, searches: Sequence[Search]) -> float | None:
        """By runs that are over; before the first by the epochs of those that are not."""
        now = self.clock()
        each = self._runs.now(now - began for _, began in self._jobs.values())
        if each is not None:
            return each
        told = [
            (self._heard[slot] - began) / self._done[slot] * epochs
            for slot, (job, began) in self._jobs.items()
            if slot in self._done and (epochs := searches[job.search_index].plan.common_epochs)
        ]
        return sum(told) / len(told) if told else None

    def _waiting(self, search: Search, index: int) -> int:
        """The runs of a search that have not begun, or are to go on."""
        counts = search.counts()
        over = sum(number for word, number in counts.items() if word not in OPEN)
        ours = [job for job, _ in self._jobs.values() if job.search_index == index]
        trials = [job for job in ours if job.trial is not None]
        fresh = max(0, counts["of"] - over - len(trials))
        seeds_to_come = sum(search.seeds - 1 - job.seed_index for job in trials)
        return fresh * search.seeds + seeds_to_come + self._confirmations(search)

    def _confirmations(self, search: Search) -> int:
        """Those that have not begun yet."""
        folders = f"{search.plan.subfolder}/" if search.plan.subfolder else ""
        begun = sum(one.startswith(folders) for one in self._confirming)
        return max(0, search.confirmation.wanted - begun)


def _epochs_left(search: Search) -> tuple[int, int, bool] | None:
    """Epochs that trials may still train, those of them that the leader lacks, and whether fewer
    may do; None where nothing is paused.
    """
    left = epochs_left(search.study, search.plan, search.asker.trials_in_all())
    if left is None:
        return None
    leader = leader_of(curves_of(search.study, search.plan.epochs))
    lacking = search.plan.most_epochs if leader is None else leader.epochs - len(leader.values)
    epochs = search.seeds * left[0]
    return epochs, min(epochs, search.seeds * lacking), left[1]


def _in_time(searches: Sequence[Search], left: Left) -> Left:
    """No more than ``hydra.sweeper.timeout`` leaves."""
    end = max(search.time_left() for search in searches)
    if end < left.seconds:
        return Left(max(0.0, end), left.at_most)
    return left
