"""How the command of another Hydra app ends: errors of a sweep on one line, signals as with us.

Hydra prints a traceback for any error but its own, and leaves SIGTERM to the system.
"""

import os
import shlex
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

from hydra.errors import HydraException
from omegaconf.errors import OmegaConfBaseException

from cnnsweep.config.error_messages import error_line
from cnnsweep.errors import OverInVain, StoppedEarly, UserError
from cnnsweep.folders import lock
from cnnsweep.process import Terminated, raise_on_stops, stops_first
from cnnsweep.redact import masked_word
from cnnsweep.sweep.spec.compose import SweepContext
from cnnsweep.task.folder_lines import SWEEP_DIR, folder_word

_FULL_ERROR = "HYDRA_FULL_ERROR"


@contextmanager
def ended_in_one_line(context: SweepContext) -> Iterator[None]:
    """The block is a sweep; its errors end the command, where the task is another app's.

    Errors of what the app itself brings (a function of its own that draws) stay what they are.
    """
    if context.is_our_task:  # whose command line does so with any error
        yield
        return
    with _ended_by_stops():
        try:
            with stops_first():
                yield
        except (KeyboardInterrupt, Terminated) as stop:
            if lock.first_held() is not None:
                print(f"stopped; to resume: {_again(context)}", file=sys.stderr)
            raise SystemExit(130 if isinstance(stop, KeyboardInterrupt) else 143) from None
        except (UserError, HydraException, OmegaConfBaseException, OSError) as error:
            goes_on = isinstance(error, StoppedEarly) and not isinstance(error, OverInVain)
            end_with(error, f"; to go on: {_again(context)}" if goes_on else "")


def end_with(error: Exception, more: str = "") -> NoReturn:
    """End the command with the error's line, or raise it where a traceback is wanted."""
    if os.environ.get(_FULL_ERROR) == "1":
        raise error
    print(f"{error_line(error)}{more}", file=sys.stderr)
    raise SystemExit(1) from error


def command_again(words: list[str], folder: Path, *, knows_resume: bool) -> str:
    """A line for a shell: the command that Python was started with, in a sweep folder."""
    kept = [masked_word(word) for word in words[1:]]
    if knows_resume:
        kept = [word for word in kept if not word.startswith("resume=")]
    if not any(word.startswith(SWEEP_DIR) for word in kept):
        kept.append(folder_word(SWEEP_DIR, folder))
    return shlex.join([Path(words[0]).name, *kept])


def _again(context: SweepContext) -> str:
    return command_again(sys.orig_argv, context.folder, knows_resume=context.knows_resume)


@contextmanager
def _ended_by_stops() -> Iterator[None]:
    """SIGTERM raises Terminated in the block, unless the app has a handler of its own."""
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    is_free = before[signal.SIGTERM] is signal.SIG_DFL
    if not is_free or threading.current_thread() is not threading.main_thread():
        yield
        return
    raise_on_stops()
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
