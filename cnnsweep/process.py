"""What concerns a whole process: its signals, its garbage collector, Python processes beside it."""

import atexit
import gc
import signal
import subprocess
import sys
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from typing import IO

EARLY_SIGNALS = frozenset({signal.SIGUSR1, signal.SIGUSR2})  # some time before a limit
_STOPS = frozenset({signal.SIGINT, signal.SIGTERM})


class Terminated(BaseException):
    """The process was asked to end (SIGTERM). Not an Exception: no handler may swallow it."""


def raise_on_sigterm() -> None:
    """From now on SIGTERM raises Terminated in the main thread, which must be the caller's."""
    signal.signal(signal.SIGTERM, lambda _number, _frame: terminate())


_holds = 0  # calls of `hold` that `release` has not answered
_is_due = False  # Terminated was held back


def hold() -> None:
    """From now on `terminate` raises nothing, until `release` is called as often."""
    global _holds
    _holds += 1


def release() -> None:
    """The end of `hold`; raises Terminated where it was held back."""
    global _holds, _is_due
    _holds -= 1
    if _holds == 0 and _is_due:
        _is_due = False
        raise Terminated


def terminate() -> None:
    """What SIGTERM does: raise Terminated, now or once nothing holds it back."""
    global _is_due
    if _holds == 0:
        raise Terminated
    _is_due = True


@contextmanager
def held_back(signals: Collection[signal.Signals] = _STOPS) -> Iterator[None]:
    """Signals that arrive in the block are handled after it; without ``signals`` those that stop.

    Processes that are started in the block never get them. A blocked signal may still reach the
    process by another of its threads, whereupon Python handles it in the main one: Terminated waits
    for the end of the block all the same.
    """
    if signal.SIGTERM in signals:
        hold()
    before = signal.pthread_sigmask(signal.SIG_BLOCK, signals)
    try:
        yield
    finally:
        try:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
        finally:
            if signal.SIGTERM in signals:
                release()


def postpone_collection() -> None:
    """Collect nothing until `begin_collection`, and at exit only what Triton would complain of.

    Importing torch makes hundreds of thousands of objects that stay as long as the process. The
    collector looks at them again and again while they come, and once more while Python ends.
    """
    gc.disable()
    atexit.register(_end)


def begin_collection() -> None:
    """Collect from now on, but leave alone what is there already; again is harmless."""
    if not gc.isenabled():
        gc.freeze()
        gc.enable()


def _end() -> None:
    if "triton" in sys.modules:
        # torch.compile's: at exit it reports as leaked what was never collected.
        gc.unfreeze()
        gc.enable()
    else:
        gc.freeze()


_BOOT = (
    "import sys; sys.path[:] = sys.argv[2].split('\\n'); "
    "from importlib import import_module; "
    "import_module(sys.argv[1]).main(*map(int, sys.argv[3:]))"
)


def start_python(
    module: str,
    fds: tuple[int, ...],
    output: IO[bytes],
    environment: Mapping[str, str] | None = None,
) -> "subprocess.Popen[bytes]":
    """Start ``module.main(*fds)`` with our import path and these open files.

    ``output`` takes what it prints; ``environment`` is ours where None. It has a session of its
    own, so that Ctrl-C reaches us alone.
    """
    return subprocess.Popen(
        [sys.executable, "-c", _BOOT, module, "\n".join(sys.path), *map(str, fds)],
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=output,
        pass_fds=fds,
        env=environment,
        start_new_session=True,
    )
