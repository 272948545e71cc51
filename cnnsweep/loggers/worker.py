"""The process of one tracker: it follows the run folder and passes on what it finds there."""

import contextlib
import faulthandler
import inspect
import json
import os
import signal
import socket
import threading
from collections.abc import Callable, Mapping
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
from cnnsweep.loggers.base import Logger, RunInfo, SweepInfo, alone, read_metrics, stamp
from cnnsweep.process import begin_collection, postpone_collection

LINGER_SECONDS = 60.0  # for what came last, once the run is over
POLL_SECONDS = 0.2  # between two looks at metrics.csv


def main(fd: int) -> None:
    """Serve the run at the other end of the socket ``fd``; end soon after it.

    The socket brings one line, the setup (see `manager.following`), and its end says that the run
    is over or gone. It takes the words of `manager.TrackerProcess`.
    """
    postpone_collection()
    for number in (signal.SIGINT, signal.SIGTERM):  # the socket says when the run is over
        signal.signal(number, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    connection = socket.socket(fileno=fd)
    lifeline = connection.makefile("rb")
    setup = json.loads(lifeline.readline())
    run = _run(setup["run"])
    is_over = threading.Event()

    def say(word: str, line: str = "") -> None:
        with contextlib.suppress(OSError):  # the run did not wait
            connection.sendall(json.dumps([word, line]).encode() + b"\n")

    def await_end() -> None:
        if not setup["is_sweep"]:
            # A run that is killed with a word unread resets the connection instead of closing it.
            with contextlib.suppress(ConnectionResetError):
                lifeline.read()
            if stamp(RunFolder(run.folder).result) == setup["stamps"][1]:
                os._exit(1)  # no outcome: the run was killed, and will be resumed
        # Needs no Python: a tracker's C code may keep it from running for good.
        faulthandler.dump_traceback_later(LINGER_SECONDS, exit=True)
        say("heard")
        is_over.set()

    threading.Thread(target=await_end, daemon=True).start()
    try:
        say("up")
        with alone(run.folder, setup["name"]):
            logger = make(setup["name"], setup["node"], run)
            begin_collection()
            say("ready")
            if setup["is_sweep"]:
                _end_sweep(logger, run.folder, setup["name"])
            else:
                _follow(logger, RunFolder(run.folder), setup, is_over.wait)
    except UserError as error:
        say("refused", str(error))
        raise
    except BaseException as error:
        say("failed", one_line(error))
        raise
    say("done")
    os._exit(0)  # trackers like to wait for servers at exit


def _follow(
    logger: Logger, folder: RunFolder, setup: Mapping[str, Any], wait: Callable[[float], bool]
) -> None:
    """Pass on each epoch once it is in metrics.csv; ``wait`` is true when the run is over.

    Until this run has written the file, it is that of an earlier attempt, whose last epochs may
    be trained again.
    """
    seen, told = setup["stamps"][0], -1
    is_over = False
    while not is_over:
        is_over = wait(POLL_SECONDS)
        latest = stamp(folder.metrics)
        if latest == seen and not (is_over and told < 0):
            continue
        seen, rows = latest, read_metrics(folder)
        if told < 0:
            told = min(setup["epochs"], len(rows))
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
        behind = list(causes(error))
        if target.startswith("cnnsweep.") and _has(behind, ModuleNotFoundError):
            raise missing(package_of(target)) from error
        if _has(behind, ConnectionError):
            raise behind[-1] from error
        raise refusal(f"logger.{name}", target, error) from error


def _has(errors: list[BaseException], kind: type[BaseException]) -> bool:
    return any(isinstance(error, kind) for error in errors)


def _run(plain: Mapping[str, Any]) -> RunInfo:
    """A run as it was before it went through JSON."""
    sweep = plain["sweep"]
    if sweep is not None:
        sweep = SweepInfo(**{**sweep, "folder": Path(sweep["folder"])})
    paths = {name: Path(plain[name]) for name in ("folder", "root")}
    return RunInfo(**{**plain, **paths, "sweep": sweep})
