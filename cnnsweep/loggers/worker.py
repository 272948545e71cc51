"""The process of one tracker: reads what it is told, and does it in its own time."""

import contextlib
import faulthandler
import json
import os
import queue
import signal
import socket
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cnnsweep.errors import UserError, one_line
from cnnsweep.folders.run_folder import RunFolder
from cnnsweep.folders.sweep_folder import SweepFolder
from cnnsweep.loggers.base import RunInfo, SweepInfo
from cnnsweep.loggers.run_id import alone
from cnnsweep.process import begin_collection, postpone_collection

LINGER_SECONDS = 60.0  # for what was told last, once the run is gone
_LAST_WORDS = ("ended", "sweep_ended")


def main(fd: int) -> None:
    """Serve the run at the other end of the socket ``fd``; ends with it."""
    postpone_collection()
    for number in (signal.SIGINT, signal.SIGTERM):  # the run tells how it ends, or is gone
        signal.signal(number, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    connection = socket.socket(fileno=fd)
    inbox: queue.SimpleQueue[tuple[str, Any]] = queue.SimpleQueue()

    def answer(word: str, line: str = "") -> None:
        try:
            connection.sendall(json.dumps([word, line]).encode() + b"\n")
        except OSError:  # the run did not wait
            return

    threading.Thread(target=_read, args=(connection, inbox, answer), daemon=True).start()
    try:
        _serve(inbox, answer)
    except UserError as error:
        answer("refused", str(error))
        raise
    except BaseException as error:
        answer("failed", one_line(error))
        raise
    answer("done")
    os._exit(0)  # trackers like to wait for servers at exit


def _read(
    connection: socket.socket, inbox: "queue.SimpleQueue[tuple[str, Any]]", answer: Any
) -> None:
    """Take messages at once, so that the run never waits; notice that the run is gone."""
    # A run that is killed with an answer unread resets the connection instead of closing it.
    with contextlib.suppress(ConnectionResetError):
        for line in connection.makefile("rb"):
            if not line.endswith(b"\n"):
                break
            word, content = json.loads(line)
            inbox.put((word, content))
            if word in _LAST_WORDS:
                # Needs no Python: a tracker's C code may never let go of it.
                faulthandler.dump_traceback_later(LINGER_SECONDS, exit=True)
                answer("heard")
                return
    os._exit(1)


def _serve(inbox: "queue.SimpleQueue[tuple[str, Any]]", answer: Any) -> None:
    from cnnsweep.loggers.instantiate import (
        make,  # Hydra takes a moment: none of the tracker's time
    )

    _, setup = inbox.get()
    run = _run(setup["run"])
    answer("up")
    with alone(run.folder, setup["name"]):
        logger = make(setup["name"], setup["node"], run)
        begin_collection()
        answer("ready")
        word = ""
        while word not in _LAST_WORDS:
            word, content = inbox.get()
            if word == "sweep_ended":
                _wait_for_runs(run.folder, setup["name"])
            _pass_on(logger, word, content, RunFolder(run.folder))


def _wait_for_runs(sweep: Path, name: str) -> None:
    """On a busy machine a run's tracker may outlive it; the sweep is over when all of them are."""
    for run in SweepFolder(sweep).tracked(name):
        with alone(run, name):
            pass


def _pass_on(logger: Any, word: str, content: Any, folder: RunFolder) -> None:
    if word == "ended":
        logger.ended(content, folder)
    elif word == "sweep_ended":
        if hasattr(logger, word):
            logger.sweep_ended()
    else:
        getattr(logger, word)(content)


def _run(plain: Mapping[str, Any]) -> RunInfo:
    """A run as it was before it went through JSON."""
    sweep = plain["sweep"]
    if sweep is not None:
        sweep = SweepInfo(**{**sweep, "folder": Path(sweep["folder"])})
    paths = {name: Path(plain[name]) for name in ("folder", "root")}
    return RunInfo(**{**plain, **paths, "sweep": sweep})
