"""The process in which a command from Python runs: the command line, watched and reported.

Its locks, signals, working memory and Hydra's globals are its own. When the process that started it
ends, it stops as after SIGTERM, so that its folder can be resumed.
"""

import os
import pickle
import runpy
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple

_LOOKS_SECONDS = 0.2
RUN, SWEEP, COMPOSE = "run", "sweep", "compose"
REFUSED, FAILED, JOBS_FAILED = "refused", "failed", "jobs failed"


class Report(NamedTuple):
    """What a command leaves for whoever started it.

    ``folder`` is that of its run or sweep, None before it has one; ``error`` the line of what went
    wrong, ``ending`` of which kind that was; ``config`` what was composed.
    """

    folder: Path | None = None
    ending: str | None = None
    error: str | None = None
    config: dict[str, Any] | None = None


def main(purpose: str, parent: int, file: int) -> None:
    """Run the words in ``sys.argv`` for the process ``parent``; the report goes into ``file``."""
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a kernel at rest ignores it
    wants_traceback = os.environ.get("HYDRA_FULL_ERROR") == "1"
    end, config = Report(), None
    try:
        with _watched(parent, file):
            if purpose == COMPOSE:
                config = _composed(sys.argv[1:])
            else:
                _refuse_sweep(purpose, sys.argv[1:])
                runpy.run_module("cnnsweep", run_name="__main__", alter_sys=True)
    except BaseException as error:
        end = _report_of(error)
        if wants_traceback or isinstance(error, SystemExit):
            raise
        sys.exit(130 if isinstance(error, KeyboardInterrupt) else 1)
    finally:
        _write(file, Report(_folder(), end.ending, end.error, config))


def _composed(typed: Sequence[str]) -> dict[str, Any]:
    """The resolved config of a run's command, checked as the command checks it."""
    from cnnsweep.cli import readable
    from cnnsweep.config.command_words import options_and_others
    from cnnsweep.config.overrides import by_key
    from cnnsweep.hydra_callback import checked_run
    from cnnsweep.task.from_folder import composing

    options, others = options_and_others(readable(typed))
    with composing(options) as composed:
        return checked_run(composed(by_key([*others, "hydra.mode=RUN"])))[1]


def _refuse_sweep(purpose: str, typed: Sequence[str]) -> None:
    from cnnsweep.errors import UserError
    from cnnsweep.task.resume import of_the_folder

    if purpose == RUN and "--multirun" in of_the_folder(typed):
        resumed = next(word for word in typed if word.startswith("resume="))
        raise UserError(f"{resumed} is a sweep: it needs sweep(), and this is run()")


def _report_of(error: BaseException) -> Report:
    """What ended the command; the command line ends in SystemExit whatever the cause."""
    cause = (error.__cause__ or error.__context__) if isinstance(error, SystemExit) else error
    if cause is None or isinstance(cause, KeyboardInterrupt | SystemExit):
        return Report()  # nothing more is imported: it may be an import that was interrupted
    from cnnsweep.cli import SingleRunFailed
    from cnnsweep.config.error_messages import short_error
    from cnnsweep.errors import JobsFailed, StoppedEarly
    from cnnsweep.process import Terminated

    if isinstance(cause, Terminated):
        return Report()
    if isinstance(cause, SingleRunFailed):
        return Report(ending=FAILED, error=short_error(cause.__cause__ or cause))
    kinds = ((JobsFailed, JOBS_FAILED), (StoppedEarly, FAILED), (BaseException, REFUSED))
    ending = next(word for kind, word in kinds if isinstance(cause, kind))
    return Report(ending=ending, error=short_error(cause))


@contextmanager
def _watched(parent: int, file: int) -> Iterator[None]:
    """Meanwhile stop when the parent has ended, and report the folder as soon as there is one."""
    over = threading.Event()

    def watch() -> None:
        known = None
        while not over.wait(_LOOKS_SECONDS):
            if os.getppid() != parent:
                os.kill(os.getpid(), signal.SIGTERM)
                return
            if (folder := _folder()) != known:
                known = folder
                _write(file, Report(folder))

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield
    finally:
        over.set()
        watcher.join()


def _folder() -> Path | None:
    """The folder that this process has taken; the module is there once anything is locked."""
    lock: Any = sys.modules.get("cnnsweep.folders.lock")
    with suppress(RuntimeError):  # it takes another one at this moment
        folder: Path | None = None if lock is None else lock.first_held()
        return folder
    return None


def _write(file: int, report: Report) -> None:
    content = pickle.dumps(report)
    os.ftruncate(file, 0)
    os.pwrite(file, content, 0)
