"""Trackers as the run sees them: each is a process that follows the run folder.

A tracker that hangs, even in C code, cannot hold the run up; one that draws random numbers or
changes torch's settings cannot change what is trained.
"""

import contextlib
import logging
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from multiprocessing import Pipe
from typing import Any

from cnnsweep import epoch_reporter
from cnnsweep.errors import UserError
from cnnsweep.folders.run_folder import RunFolder
from cnnsweep.loggers.base import RunInfo, Setup, stamp
from cnnsweep.process import Terminated, held_back, start_python

log = logging.getLogger(__name__)

# How long a run waits for its trackers, all of them together.
BOOT_SECONDS = 10.0  # until its process runs, which takes 1 s unless the machine is busy
START_SECONDS = 3.0
END_SECONDS = 6.0
INTERRUPTED_SECONDS = 1.0  # a person waits, a job's time is up, or the next trial's has come

_LAST_WORDS = ("done", "refused", "failed")


class TrackerProcess:
    """One tracker's process. ``said`` holds its words so far; an error's has a line.

    ``up``: its own code runs from now on; ``ready``: it is constructed; ``heard``: it knows that
    the run is over and ends within LINGER_SECONDS; the last one is ``done``, ``refused`` (its
    config) or ``failed``.
    """

    def __init__(self, setup: Setup) -> None:
        self.name = setup.name
        self.said: dict[str, str] = {}
        self._is_left = False
        self._news = threading.Condition()
        self._ours, theirs = Pipe()
        output_file = RunFolder(setup.run.folder).tracker_log(setup.name)
        output_file.parent.mkdir(parents=True, exist_ok=True)
        with output_file.open("ab") as output, theirs:
            self._process = start_python("cnnsweep.loggers.worker", (theirs.fileno(),), output)
        self._ours.send(setup)
        with held_back():  # the thread inherits this: SIGINT and SIGTERM stay the main thread's
            threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        with contextlib.suppress(EOFError, ConnectionResetError):
            while True:
                self._note(*self._ours.recv())
        self._note("failed", "its process ended unexpectedly")
        self._ours.close()
        self._process.wait()

    def _note(self, word: str, line: str) -> None:
        with self._news:
            if self.is_over():
                return
            self.said[word] = line
            if word == "failed" and not self._is_left:
                warn(self.name, f"{line}; the run goes on without it")
            self._news.notify_all()

    def is_over(self) -> bool:
        """Whether it has said its last word."""
        return any(word in self.said for word in _LAST_WORDS)

    def wait_for(self, word: str, until: float) -> None:
        """Wait until it says ``word`` or its last word, at most until this time.monotonic()."""
        with self._news:
            self._news.wait_for(
                lambda: word in self.said or self.is_over(), until - time.monotonic()
            )

    def run_is_over(self) -> None:
        """Let the process read the outcome in the folder."""
        with contextlib.suppress(OSError):  # it has gone
            self._ours.send("over")

    def leave(self) -> None:
        """Listen no more, and kill it if its C code keeps Python from running.

        A process that is not up yet is only slow: no tracker's code runs in it.
        """
        with self._news:
            self._is_left = True
            if "up" in self.said and "heard" not in self.said:
                self._process.kill()


@contextlib.contextmanager
def following(
    loggers: Mapping[str, Mapping[str, Any]], run: RunInfo, *, is_sweep: bool = False
) -> Iterator[Callable[[], None]]:
    """Trackers, by name, that follow this run until it has an outcome or its process is gone.

    Yields a function that waits until they are ready, or raises UserError if one refuses its
    config. Leaving the block waits up to END_SECONDS for them; they may go on for LINGER_SECONDS.
    With ``is_sweep`` the folder is a sweep's, all of whose runs are over.
    """
    folder = RunFolder(run.folder)
    lines = folder.metrics.read_bytes().count(b"\n") if folder.metrics.exists() else 0
    seen = max(lines - 1, 0), stamp(folder.metrics), stamp(folder.result)
    trackers: list[TrackerProcess] = []
    for name, node in loggers.items():
        try:
            trackers.append(TrackerProcess(Setup(name, dict(node), run, is_sweep, *seen)))
        except OSError as error:  # no process or no memory left for it
            warn(name, f"{error}; the run goes on without it")
    seconds = END_SECONDS
    try:
        yield lambda: _wait_until_ready(trackers)
    except (KeyboardInterrupt, Terminated, epoch_reporter.Paused):
        seconds = INTERRUPTED_SECONDS
        raise
    finally:
        _leave(trackers, seconds)


def _wait_until_ready(trackers: list[TrackerProcess]) -> None:
    for word, seconds in (("up", BOOT_SECONDS), ("ready", START_SECONDS)):
        until = time.monotonic() + seconds
        for tracker in trackers:
            tracker.wait_for(word, until)
            if "refused" in tracker.said:
                trackers.remove(tracker)
                raise UserError(tracker.said["refused"])


def _leave(trackers: list[TrackerProcess], seconds: float) -> None:
    for tracker in trackers:
        tracker.run_is_over()
    until = time.monotonic() + seconds
    for tracker in trackers:
        tracker.wait_for("done", until)
        tracker.leave()
        if "refused" in tracker.said:  # after START_SECONDS
            warn(tracker.name, f"{tracker.said['refused']}; the run goes on without it")
        elif not tracker.is_over() and seconds == END_SECONDS:
            warn(tracker.name, f"not done after {seconds:.0f} s, may miss what came last")


def warn(name: str, line: str) -> None:
    """Say it in the run's log and, unless the terminal is a sweep's, on stderr."""
    message = f"warning: logger {name}: {line}"
    log.warning(message)
    if epoch_reporter.current is None:
        print(message, file=sys.stderr)
