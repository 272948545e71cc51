"""The process of one tracker: it follows the run folder and passes on what it finds there."""

import contextlib
import faulthandler
import inspect
import os
import signal
import threading
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from hydra.errors import InstantiationException
from hydra.utils import execution_whitelist, get_object, instantiate

from cnnsweep.config.allowed_targets import allowed_targets
from cnnsweep.config.instantiate import refusal
from cnnsweep.config.trackers import missing, package_of
from cnnsweep.errors import UserError, causes, one_line
from cnnsweep.folders.run_folder import RunFolder
from cnnsweep.folders.sweep_folder import SweepFolder
from cnnsweep.loggers.base import Logger, RunInfo, Setup, alone, stamp
from cnnsweep.process import begin_collection, postpone_collection

LINGER_SECONDS = 60.0  # for what came last, once the run is over
POLL_SECONDS = 0.2  # between two looks at metrics.csv


def main(fd: int) -> None:
    """Serve the run at the other end of the connection ``fd``; end soon after it.

    The connection brings a Setup, then a message when the run is over, or its end when the run is
    killed. It takes the words of `manager.TrackerProcess`.
    """
    postpone_collection()
    for number in (signal.SIGINT, signal.SIGTERM):  # the run says when it is over
        signal.signal(number, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    connection: Connection[tuple[str, str], Any] = Connection(fd)
    setup: Setup = connection.recv()
    folder = RunFolder(setup.run.folder)
    is_over = threading.Event()

    def say(word: str, line: str = "") -> None:
        with contextlib.suppress(OSError):  # the run did not wait
            connection.send((word, line))

    def await_end() -> None:
        if not setup.is_sweep:
            # A run that is killed with a word unread resets the connection instead of closing it.
            with contextlib.suppress(EOFError, ConnectionResetError):
                connection.recv()
            if stamp(folder.result) == setup.old_result:
                os._exit(1)  # no outcome: the run was killed, and will be resumed
        # Needs no Python: a tracker's C code may keep it from running for good.
        faulthandler.dump_traceback_later(LINGER_SECONDS, exit=True)
        say("heard")
        is_over.set()

    threading.Thread(target=await_end, daemon=True).start()
    try:
        say("up")
        with alone(folder.path, setup.name):
            logger = make(setup.name, setup.node, setup.run)
            begin_collection()
            say("ready")
            if setup.is_sweep:
                _end_sweep(logger, folder.path, setup.name)
            else:
                _follow(logger, folder, setup, is_over.wait)
    except UserError as error:
        say("refused", str(error))
        raise
    except BaseException as error:
        say("failed", one_line(error))
        raise
    say("done")
    os._exit(0)  # trackers like to wait for servers at exit


def _follow(logger: Logger, folder: RunFolder, setup: Setup, wait: Callable[[float], bool]) -> None:
    """Pass on each epoch once it is in metrics.csv; ``wait`` is true when the run is over.

    Until this run has written the file, it is that of an earlier attempt, whose last epochs may
    be trained again.
    """
    seen, told = setup.old_metrics, -1
    is_over = False
    while not is_over:
        is_over = wait(POLL_SECONDS)
        latest = stamp(folder.metrics)
        if latest == seen and not (is_over and told < 0):
            continue
        seen, rows = latest, folder.read_metrics()
        if told < 0:
            told = min(setup.old_epochs, len(rows))
            logger.started(rows[:told])
        for row in rows[told:]:
            logger.epoch_ended(row)
        told = len(rows)
    logger.ended(folder.read_result() or {}, folder)


def _end_sweep(logger: Any, sweep: Path, name: str) -> None:
    """On a busy machine a run's tracker may outlive it; the sweep is over when all of them are."""
    for run in SweepFolder(sweep).tracked(name):
        with alone(run, name):
            pass
    if hasattr(logger, "sweep_ended"):
        logger.sweep_ended()


def make(name: str, node: dict[str, Any], run: RunInfo) -> Any:
    """The logger of a part of the config.

    Raises:
        UserError: it cannot be made of these keys, or its package is not there.
        ConnectionError: a server that it needs is not there.
    """
    target = str(node["_target_"])
    try:
        with execution_whitelist(allowed_targets()):
            parameters = inspect.signature(get_object(target)).parameters
            known: dict[str, Any] = {"run": run, "folder": run.folder}
            fitting = {key: value for key, value in known.items() if key in parameters}
            return instantiate(node, _convert_="all", **fitting)
    except (InstantiationException, ImportError, TypeError) as error:
        *_, first = causes(error)
        if target.startswith("cnnsweep.") and isinstance(first, ModuleNotFoundError):
            raise missing(package_of(target)) from error
        if isinstance(first, ConnectionError):
            raise first from error
        raise refusal(f"logger.{name}", target, error) from error
