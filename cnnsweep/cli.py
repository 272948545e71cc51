"""The command `cnnsweep`: Hydra's command line, with errors on one line.

Imports nothing heavy: `--help`, `--cfg job` and tab completion answer at once.
"""

import logging
import os
import re
import sys
from collections.abc import Sequence
from contextlib import nullcontext

import hydra
from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from omegaconf import DictConfig

from cnnsweep import epoch_reporter
from cnnsweep.config import CONF_DIR
from cnnsweep.config.allowed_targets import allowed_targets
from cnnsweep.config.command_words import check_flags, check_options, options_first, with_homes
from cnnsweep.config.composing.late_keys import words_of_sweep
from cnnsweep.config.composing.quick_copies import quick_copies
from cnnsweep.config.error_messages import error_line
from cnnsweep.config.sweeper_keys import check_sweepers
from cnnsweep.errors import JobsFailed, OverInVain, StoppedEarly
from cnnsweep.folders import lock
from cnnsweep.process import (
    Terminated,
    postpone_collection,
    raise_again,
    raise_on_stops,
    stops_first,
)
from cnnsweep.redact import masked_output
from cnnsweep.task.folder_lines import resume_command
from cnnsweep.task.from_folder import with_recorded
from cnnsweep.task.help_text import explained, is_asked, with_first_choices
from cnnsweep.task.resume import of_the_folder
from cnnsweep.task.task import Objective, task

FULL_ERROR = "HYDRA_FULL_ERROR"
_SHOWS = re.compile(r"--(cfg|info|help)\b|-(c(job|hydra|all)?|i|h)$")
SAID_HOW = (JobsFailed, OverInVain)  # the latter says that nothing is left to go on with
log = logging.getLogger(__name__)


class SingleRunFailed(BaseException):
    """Carries a run's error, its cause, past Hydra, which would print lines of its own."""


def main() -> None:
    """Run the command line; exits with 0, 1, 130 after Ctrl-C, 143 after SIGTERM."""
    postpone_collection()
    wants_traceback = os.environ.get(FULL_ERROR) == "1"
    os.environ[FULL_ERROR] = "1"  # else Hydra prints the error itself and exits
    raise_on_stops()
    try:
        words = readable(sys.argv[1:])
        sys.argv[1:] = words_of_sweep(words)
        decorate = hydra.main(
            config_path=str(CONF_DIR),
            config_name="config",
            execution_whitelist=allowed_targets(),
        )
        # What only shows the config would show a storage's password too.
        with (
            stops_first(),
            quick_copies(),
            masked_output() if any(map(_SHOWS.match, sys.argv)) else nullcontext(),
            explained() if is_asked(sys.argv) else nullcontext(),
        ):
            decorate(run_task)()
    except (KeyboardInterrupt, Terminated) as stop:
        folder = lock.first_held()
        if folder is not None:
            print(f"stopped; to resume: {resume_command(folder)}", file=sys.stderr)
        sys.exit(130 if isinstance(stop, KeyboardInterrupt) else 143)
    except (SingleRunFailed, Exception) as failure:  # nothing further up handles it
        if wants_traceback:
            raise
        error = failure.__cause__ if isinstance(failure, SingleRunFailed) else failure
        sys.exit(error_line(error or failure) + _to_go_on(error))


def _to_go_on(error: BaseException | None) -> str:
    """The command that goes on where a sweep was stopped; a grid's own line says how."""
    folder = lock.first_held()
    if folder is None or not isinstance(error, StoppedEarly) or isinstance(error, SAID_HOW):
        return ""
    return f"; to go on: {resume_command(folder)}"


def readable(typed: Sequence[str]) -> list[str]:
    """The words of a command line as Hydra is to read them, with those that a folder recorded.

    Raises:
        UserError: they cannot be meant, or the folder cannot be used.
        hydra.errors.HydraException: what the folder recorded does not compose any more.
    """
    words = options_first(with_homes(typed))
    check_flags(words)
    check_options(words)
    if is_asked(words):
        words = with_first_choices(words)
    words = with_recorded(of_the_folder(words))
    check_sweepers(words)
    return words


def run_task(config: DictConfig) -> Objective:
    """The task as Hydra calls it; in a sweep a job's error is raised again for the sweeper."""
    raise_again()
    try:
        return task(config)
    except Exception as error:
        if HydraConfig.get().mode == RunMode.MULTIRUN:
            folder = HydraConfig.get().runtime.output_dir
            if epoch_reporter.current is None:
                print(f"{folder}: {error_line(error)}", file=sys.stderr)
            raise
        for handler in logging.getLogger().handlers[:]:  # Hydra's own logging tells the terminal
            if not isinstance(handler, logging.FileHandler):
                logging.getLogger().removeHandler(handler)
        log.exception("the run failed")
        raise SingleRunFailed from error
