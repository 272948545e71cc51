"""One job in a worker process, run as Hydra would, with its folder locked and its log its own."""

import logging
import os
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from hydra.core.utils import JobReturn, JobStatus, configure_log, run_job
from hydra.errors import HydraException
from hydra.types import TaskFunction
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from cnnsweep import epoch_reporter
from cnnsweep.config.error_messages import short_error
from cnnsweep.config.hydra_internals import outcome_of
from cnnsweep.errors import UserError, on_one_line, one_line
from cnnsweep.folders import lock
from cnnsweep.folders.longer import begun
from cnnsweep.folders.run_folder import APP, CONFIG, HYDRA, RunFolder, differing_keys
from cnnsweep.other_apps.report import record_unreported, taken_record
from cnnsweep.other_apps.run_record import RunRecord, finished_epochs
from cnnsweep.process import Terminated, raise_again
from cnnsweep.sweep.spec.compose import SweepContext
from cnnsweep.sweep.spec.formatting import cause_of
from cnnsweep.sweep.spec.messages import Answer, Epoch, Finished, Job, Note
from cnnsweep.sweep.spec.objectives import plain
from cnnsweep.sweep.workers.earlier_epochs import take_earlier_epochs
from cnnsweep.task.task import refuse_other_config

LOCK_SECONDS = 5.0
_LOOK_SECONDS = 0.5


def run(
    job: Job,
    context: SweepContext,
    reporter: "Reporter",
    own_output: int,
    pause: Callable[[float], None] = time.sleep,
) -> Finished:
    """Run a job to its end.

    ``own_output`` is where the worker prints between jobs; ``pause`` waits for so many seconds.
    """
    run_folder = context.folder / job.folder
    longer = begun(run_folder)
    place = job.folder if longer is None else str(longer.relative_to(context.folder))
    try:
        config = context.compose(job.overrides, place, job.number)
    except (HydraException, OmegaConfBaseException) as error:
        return _failed(error, short_error(error))
    epoch_reporter.current = reporter
    log = context.log_file(place)
    log.parent.mkdir(parents=True, exist_ok=True)
    redirect(os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o666))
    try:
        _wait_for_lock(run_folder, pause)
        with lock.held(run_folder), lock.held(log.parent):
            _refuse_another_config(log.parent, config, context)
            if (taken := take_earlier_epochs(context, config, run_folder)) is not None:
                reporter.note(taken)
            if context.is_our_task:
                reporter.known = _known_epochs(RunFolder(log.parent))
            return _told_again(log.parent, reporter) or _run(config, context)
    except OtherConfig as error:
        cause = cause_of(error)
        return Finished("failed", error=str(error), cause=cause, is_others_folder=True)
    except UserError as error:  # another process is in the folder
        return Finished("held", error=short_error(error))
    finally:
        epoch_reporter.current = None
        redirect(os.dup(own_output))


def _known_epochs(run: RunFolder) -> int:
    """How many epochs a run has that it goes on from, whatever is in the rows of its metrics."""
    if not run.last.exists() or not run.metrics.exists():
        return 0
    return run.metrics.read_bytes().count(b"\n") - 1  # the header


def _wait_for_lock(folder: Path, pause: Callable[[float], None]) -> None:
    """Wait a moment for a run folder's lock; where that is in vain, others have their turn."""
    deadline = time.monotonic() + LOCK_SECONDS
    while lock.is_held_elsewhere(folder) and time.monotonic() < deadline:
        pause(_LOOK_SECONDS)


def _run(config: DictConfig, context: SweepContext) -> Finished:
    ended = _in_hydra(config, context)
    record = taken_record()
    if record is None and not context.is_our_task:
        record_unreported(config.hydra, ended)
    return _finished(ended, record)


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
        for handler in logging.getLogger().handlers:
            handler.close()  # Hydra closes those alone that were made last
        hydra = context.config.hydra
        configure_log(hydra.hydra_logging, hydra.verbose, context.hydra_context.execution_whitelist)


def _until_ended(task: TaskFunction) -> TaskFunction:
    """A task that returns Ended where ``run_job`` would log it as a failure.

    What is no Exception is a failure too: sys.exit() would end the worker. It also removes console
    handlers: a worker's console is the log file already.
    """

    def wrapped(config: DictConfig) -> Any:
        for handler in list(logging.getLogger().handlers):
            if not isinstance(handler, logging.FileHandler):
                logging.getLogger().removeHandler(handler)
        try:
            return task(config)
        except epoch_reporter.Ended as ended:
            return ended
        except (Exception, Terminated):
            raise
        except SystemExit as end:
            if end.code not in (None, 0):
                raise TaskEnded(f"the task ended with sys.exit({on_one_line(end.code)})") from end
            return None
        except BaseException as error:
            raise TaskEnded(f"the task raised {one_line(error)}") from error

    return wrapped


class TaskEnded(Exception):
    """The task raised what is no Exception, which would end the worker instead of the run."""


class OtherConfig(Exception):
    """The folder of a job holds a run of another config."""


def _refuse_another_config(folder: Path, config: DictConfig, context: SweepContext) -> None:
    """Raise OtherConfig where the folder's run was not begun by this job.

    Before Hydra writes its files there, and whether or not that run is finished.
    """
    if context.is_our_task:
        try:
            if (run := RunFolder(folder)).config.exists():
                refuse_other_config(run, context.resolved(config))
        except (UserError, OmegaConfBaseException) as error:  # or one of them cannot be read
            raise OtherConfig(short_error(error)) from error
        return
    recorded = folder / HYDRA / CONFIG
    if APP not in (RunFolder(folder).read_result() or {}) or not recorded.exists():
        return
    before: Any = OmegaConf.to_container(OmegaConf.load(recorded), resolve=False)
    now: Any = OmegaConf.to_container(config, resolve=False, enum_to_str=True)  # as a file has it
    del now["hydra"]
    if differing := differing_keys(before, now, is_ours=False):
        raise OtherConfig(
            f"{folder} holds a run of another config; these keys differ: {', '.join(differing)}. "
            "Choose another hydra.sweep.dir"
        )


def _told_again(folder: Path, reporter: "Reporter") -> Finished | None:
    """The end of another app's run that was completed before its launch heard of it; else None."""
    if (found := finished_epochs(folder)) is None:
        return None
    rows, objective = found
    with suppress(epoch_reporter.Ended):
        for row in rows:
            reporter.epoch_ended(int(row["epoch"] or 0), row)
    return Finished("completed", objective)


def _finished(job_return: JobReturn, record: RunRecord | None) -> Finished:
    value = outcome_of(job_return)
    if record is not None and record.ended is not None:  # also where the app caught it
        value = record.ended
    if isinstance(value, epoch_reporter.Ended):
        return Finished("paused" if isinstance(value, epoch_reporter.Paused) else "pruned")
    if job_return.status is JobStatus.COMPLETED:
        returned = value if record is None else record.objective(value)
        return Finished("completed", plain(returned))
    assert isinstance(value, BaseException)
    return _failed(value, one_line(value))


def _failed(error: BaseException, line: str) -> Finished:
    raise_again()  # it may be what has become of SIGTERM
    return Finished("failed", error=line, cause=cause_of(error))


class Reporter:
    """Reports each epoch to the launching process, and asks it whether to go on."""

    def __init__(
        self, connection: Connection, is_prunable: bool, hear: Callable[[], Answer] | None = None
    ) -> None:
        """``hear`` waits for the answer to an epoch; by default the next word that comes."""
        self._connection = connection
        self._is_prunable = is_prunable
        self._hear: Callable[[], Answer] = connection.recv if hear is None else hear
        self.known = 0  # epochs that the run folder has

    def epoch_ended(self, epoch: int, metrics: Mapping[str, float | int | None]) -> None:
        self._connection.send(Epoch(epoch, dict(metrics), is_known=epoch < self.known))
        answer: Answer = self._hear() if self._is_prunable else "go_on"
        if answer != "go_on":
            raise epoch_reporter.Pruned if answer == "prune" else epoch_reporter.Paused

    def note(self, line: str) -> None:
        self._connection.send(Note(line))


def redirect(output: int) -> None:
    """Send what this process prints, C code included, to the descriptor ``output``; close that."""
    sys.stdout.flush()
    sys.stderr.flush()
    os.dup2(output, 1)
    os.dup2(output, 2)
    os.close(output)
