"""One tracker in a process of its own, seen from the run: told much, waited for little.

A tracker that hangs, even in C code, cannot hold the run up; one that draws random numbers or
changes torch's settings cannot change what is trained.
"""

import contextlib
import json
import socket
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, NamedTuple

from cnnsweep.folders.run_folder import RunFolder
from cnnsweep.process import start_python

_SEND_SECONDS = 1.0  # the other end reads at once unless its process is stuck


class Reply(NamedTuple):
    """What a tracker's process says; ``line`` is an error's.

    ``up``: its turn has come, and from now on its time is its own; ``ready``: it is made;
    ``heard``: it knows that the run is over, and will end whatever the tracker does.
    """

    word: Literal["up", "ready", "heard", "done", "refused", "failed"]
    line: str = ""


class TrackerProcess:
    """Starts the process; it ends when it is told of the end, or when we are gone."""

    def __init__(self, name: str, folder: Path, setup: Mapping[str, Any]) -> None:
        """``folder`` is the run's, where what the tracker prints is kept."""
        self.name = name
        self._heard = b""
        self._words: set[str] = set()
        self._ours, theirs = socket.socketpair()
        log = RunFolder(folder).tracker_log(name)
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("ab") as output, theirs:
            self._process = start_python("cnnsweep.loggers.worker", (theirs.fileno(),), output)
        self.tell("setup", setup)

    def tell(self, word: str, content: Any = None) -> None:
        """Send a message; where nobody reads it, :meth:`hear` says so."""
        self._ours.settimeout(_SEND_SECONDS)
        try:
            self._ours.sendall(json.dumps([word, content], default=str).encode() + b"\n")
        except OSError:
            with contextlib.suppress(OSError):  # half a message was sent: no other may follow
                self._ours.shutdown(socket.SHUT_WR)

    def hear(self, until: float) -> Reply | None:
        """The next answer; None where there is none at ``until`` (of time.monotonic())."""
        while b"\n" not in self._heard:
            self._ours.settimeout(max(0.0, until - time.monotonic()))
            try:
                read = self._ours.recv(65536)
            except (TimeoutError, BlockingIOError):
                return None
            except OSError:
                read = b""
            if not read:
                return Reply("failed", "its process ended unexpectedly")
            self._heard += read
        line, _, self._heard = self._heard.partition(b"\n")
        answer = Reply(*json.loads(line))
        self._words.add(answer.word)
        return answer

    def end_if_stuck(self) -> None:
        """Kill a process that no longer reads: C code that keeps Python waiting may never return.

        One that has not come up yet is only slow: no tracker's code runs in it.
        """
        if "up" in self._words and "heard" not in self._words:
            self._process.kill()

    def let_go(self) -> None:
        """Hang up. A process that was told of the end may finish; any other ends at once."""
        self._ours.close()
        self._process.poll()
