"""A worker process: runs jobs, one at a time, until it is told to end or its parent is gone."""

import faulthandler
import fcntl
import logging
import os
import signal
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import cloudpickle
from hydra.core.singleton import Singleton
from hydra.core.utils import JobReturn, JobStatus, configure_log, run_job, setup_globals
from hydra.errors import HydraException
from hydra.types import TaskFunction
from omegaconf import DictConfig
from omegaconf.errors import OmegaConfBaseException

from cnnsweep import epoch_reporter
from cnnsweep.config.composing.quick_copies import quick_copies
from cnnsweep.config.error_messages import short_error
from cnnsweep.config.hydra_internals import outcome_of
from cnnsweep.errors import UserError, one_line
from cnnsweep.folders import lock
from cnnsweep.process import Terminated, begin_collection, postpone_collection, raise_on_sigterm
from cnnsweep.sweep.multihost.membership import LOST_SECONDS
from cnnsweep.sweep.spec.compose import SweepContext
from cnnsweep.sweep.spec.formatting import cause_of
from cnnsweep.sweep.spec.messages import Answer, Epoch, Finished, Job, Note, Started
from cnnsweep.sweep.workers.watchdog import die_with_parent, die_without_heartbeat

LOCK_SECONDS = 5.0


@dataclass
class Setup:
    """What a worker needs from the launching process: its config and Hydra's global state."""

    context: SweepContext
    singletons: Any
    heartbeat: Path | None  # the file that the launching process touches, if it is one of several


def main(connection_fd: int, lifeline_fd: int, setup_fd: int) -> None:
    """Serve the launching process at the other end of ``connection_fd``."""
    postpone_collection()
    die_with_parent(lifeline_fd)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the launching process passes it on as SIGTERM
    raise_on_sigterm()
    faulthandler.enable()
    own_output = os.dup(1)
    fcntl.flock(own_output, fcntl.LOCK_EX | fcntl.LOCK_NB)  # kept until this process ends
    setup = cloudpickle.loads(os.pread(setup_fd, os.fstat(setup_fd).st_size, 0))
    if setup.heartbeat is not None:
        die_without_heartbeat(setup.heartbeat, LOST_SECONDS)
    try:
        with quick_copies():
            _serve(Connection(connection_fd), setup, own_output)
    except Terminated:
        logging.shutdown()
        os._exit(128 + signal.SIGTERM)  # skips unloading torch, which is slow


def _serve(connection: Connection, setup: Setup, own_output: int) -> None:
    """Run jobs as they come, until None comes instead of one."""
    setup_globals()
    Singleton.set_state(setup.singletons)
    while (job := connection.recv()) is not None:
        connection.send(Started())
        finished = _run(job, setup.context, connection, own_output)
        begin_collection()  # which a task other than ours has not done
        connection.send(finished)


def _run(job: Job, context: SweepContext, connection: Connection, own_output: int) -> Finished:
    try:
        config = context.compose(job.overrides, job.folder, job.number)
    except (HydraException, OmegaConfBaseException) as error:
        return _failed(error, short_error(error))
    epoch_reporter.current = _Reporter(connection, job.is_prunable)
    log = context.log_file(job.folder)
    log.parent.mkdir(parents=True, exist_ok=True)
    _redirect(os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o666))
    try:
        _wait_for_lock(log.parent)
        with lock.held(log.parent):
            return _finished(_in_hydra(config, context))
    except UserError as error:  # another process is in the folder
        return Finished("held", error=short_error(error))
    finally:
        epoch_reporter.current = None
        _redirect(os.dup(own_output))


def _wait_for_lock(folder: Path) -> None:
    """Wait a moment for a run folder's lock; where that is in vain, others have their turn."""
    deadline = time.monotonic() + LOCK_SECONDS
    while lock.is_held_elsewhere(folder) and time.monotonic() < deadline:
        time.sleep(0.5)


def _in_hydra(config: DictConfig, context: SweepContext) -> JobReturn:
    try:
        return run_job(
            task_function=_until_ended(context.task),
            config=config,
            job_dir_key="hydra.sweep.dir",
            job_subdir_key="hydra.sweep.subdir",
            hydra_context=context.hydra_context,
        )
    finally:
        hydra = context.config.hydra
        configure_log(hydra.hydra_logging, hydra.verbose, context.hydra_context.execution_whitelist)


def _until_ended(task: TaskFunction) -> TaskFunction:
    """A task that returns Ended where ``run_job`` would log it as a failure.

    It also removes console handlers: a worker's console is the log file already.
    """

    def wrapped(config: DictConfig) -> Any:
        for handler in list(logging.getLogger().handlers):
            if not isinstance(handler, logging.FileHandler):
                logging.getLogger().removeHandler(handler)
        try:
            return task(config)
        except epoch_reporter.Ended as ended:
            return ended

    return wrapped


def _finished(job_return: JobReturn) -> Finished:
    value = outcome_of(job_return)
    if job_return.status is JobStatus.COMPLETED:
        if isinstance(value, epoch_reporter.Ended):
            return Finished("paused" if isinstance(value, epoch_reporter.Paused) else "pruned")
        return Finished("completed", value)
    assert isinstance(value, BaseException)
    return _failed(value, one_line(value))


def _failed(error: BaseException, line: str) -> Finished:
    return Finished("failed", error=line, cause=cause_of(error))


class _Reporter:
    """Reports each epoch to the launching process, and asks it whether to go on."""

    def __init__(self, connection: Connection, is_prunable: bool) -> None:
        self._connection = connection
        self._is_prunable = is_prunable

    def epoch_ended(self, epoch: int, metrics: Mapping[str, float | int | None]) -> None:
        self._connection.send(Epoch(epoch, dict(metrics)))
        answer: Answer = self._connection.recv() if self._is_prunable else "go_on"
        if answer != "go_on":
            raise epoch_reporter.Pruned if answer == "prune" else epoch_reporter.Paused

    def note(self, line: str) -> None:
        self._connection.send(Note(line))


def _redirect(output: int) -> None:
    """Send what this process prints, C code included, to the descriptor ``output``; close that."""
    sys.stdout.flush()
    sys.stderr.flush()
    os.dup2(output, 1)
    os.dup2(output, 2)
    os.close(output)
