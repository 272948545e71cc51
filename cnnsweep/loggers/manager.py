"""All trackers of one run. None of them can harm it."""

import csv
import logging
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from types import TracebackType
from typing import Any, Self

from cnnsweep import epoch_reporter
from cnnsweep.errors import UserError
from cnnsweep.folders.run_folder import RunFolder
from cnnsweep.loggers.base import Row, RunInfo
from cnnsweep.loggers.client import Reply, TrackerProcess
from cnnsweep.process import Terminated

log = logging.getLogger(__name__)

BOOT_SECONDS = 10.0  # for our own part of its process, which takes one unless the machine is busy
# What a tracker that hangs can cost a run.
START_SECONDS = 3.0
END_SECONDS = 6.0
INTERRUPTED_SECONDS = 1.0  # a person waits, or a job's time is up; it goes on by itself


class Trackers:
    """Nobody is told of anything until :meth:`start`.

    Leaving the block gives those that were told of the end a moment to write it down. They have
    another minute without us, so nothing is lost where that moment is cut short.
    """

    def __init__(self) -> None:
        self._running: list[TrackerProcess] = []
        self._has_started = False
        self._has_ended = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _: type[BaseException] | None, error: BaseException | None, __: TracebackType | None
    ) -> None:
        if self._has_ended:
            self._wait_for_all(is_hurried=isinstance(error, KeyboardInterrupt | Terminated))
        for tracker in list(self._running):
            self._drop(tracker)

    def start(self, loggers: Mapping[str, Mapping[str, Any]], run: RunInfo) -> None:
        """Begin to start a process for each, by name; their packages load while torch does."""
        self._folder = RunFolder(run.folder)
        for name, node in loggers.items():
            setup = {"name": name, "node": dict(node), "run": asdict(run)}
            try:
                self._running.append(TrackerProcess(name, run.folder, setup))
            except OSError as error:  # no process or no memory left for it
                _warn(name, f"{error}; the run goes on without it")

    def started(self, history: Sequence[Row]) -> None:
        """The run begins, or goes on after these epochs.

        Raises:
            UserError: a tracker's config cannot be used.
        """
        self._has_started = True
        self._tell("started", [dict(row) for row in history])
        self._hear_of_all(time.monotonic() + BOOT_SECONDS)
        self._hear_of_all(time.monotonic() + START_SECONDS)

    def _hear_of_all(self, until: float) -> None:
        for tracker in list(self._running):
            answer = tracker.hear(until)
            if answer is not None and answer.word == "refused":
                self._drop(tracker)
                raise UserError(answer.line)
            self._note(tracker, answer)

    def epoch_ended(self, row: Row) -> None:
        """``row`` is the epoch's line of metrics.csv."""
        self._tell("epoch_ended", dict(row))
        for tracker in list(self._running):
            self._note(tracker, tracker.hear(time.monotonic()))

    def ended(self, result: Mapping[str, Any]) -> None:
        """Tell them how the run ended; nobody is waited for yet."""
        self._has_ended = True
        if not self._running:
            return
        if not self._has_started:  # it failed before; what an earlier go left behind stands
            self._tell("started", _read_metrics(self._folder))
        self._tell("ended", dict(result))

    def sweep_ended(self) -> None:
        """Tell trackers, started for a sweep's own folder, that all its runs are over."""
        self._has_ended = True
        self._tell("sweep_ended")

    def _wait_for_all(self, *, is_hurried: bool) -> None:
        seconds = INTERRUPTED_SECONDS if is_hurried else END_SECONDS
        until = time.monotonic() + seconds
        for tracker in list(self._running):
            answer = tracker.hear(until)
            while answer is not None and answer.word in ("up", "ready", "heard"):
                answer = tracker.hear(until)
            if answer is None:
                tracker.end_if_stuck()
                if not is_hurried:
                    _warn(tracker.name, f"not done after {seconds:.0f} s, may miss what came last")
            self._note(tracker, answer)

    def _tell(self, word: str, content: Any = None) -> None:
        for tracker in self._running:
            tracker.tell(word, content)

    def _note(self, tracker: TrackerProcess, answer: Reply | None) -> None:
        if answer is not None and answer.word in ("failed", "refused"):
            _warn(tracker.name, f"{answer.line}; the run goes on without it")
            self._drop(tracker)

    def _drop(self, tracker: TrackerProcess) -> None:
        self._running.remove(tracker)
        tracker.let_go()


def tell_of_sweeps_end(loggers: Mapping[str, Mapping[str, Any]], sweep: RunInfo) -> None:
    """All runs of a sweep are over; ``sweep`` stands for it."""
    with Trackers() as trackers:
        trackers.start(loggers, sweep)
        trackers.sweep_ended()


def _warn(name: str, line: str) -> None:
    message = f"warning: logger {name}: {line}"
    log.warning(message)
    if epoch_reporter.current is None:  # else the terminal is the sweep's
        print(message, file=sys.stderr)


def _read_metrics(folder: RunFolder) -> list[dict[str, float | None]]:
    if not folder.metrics.exists():
        return []
    with folder.metrics.open(encoding="utf-8", newline="") as file:
        return [
            {name: float(text) if text else None for name, text in row.items()}
            for row in csv.DictReader(file)
        ]
