"""What concerns a whole process: its signals, its garbage collector, Python processes beside it."""

import atexit
import gc
import logging
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


_holds = 0  # calls of `hold` that `release` has not answered
_due: type[BaseException] | None = None  # a stop that was held back
_raised: type[BaseException] | None = None  # the latest stop


def raise_on_stops() -> None:
    """From now on SIGTERM raises Terminated in the main thread, which must be the caller's.

    Ctrl-C raises KeyboardInterrupt as ever. See `raise_again` for either.
    """
    global _raised
    _raised = None
    if "torch" not in sys.modules:  # which, stopped as it is imported, logs its caches at the exit
        logging.getLogger("torch").setLevel(logging.WARNING)  # as its import does at the end
    signal.signal(signal.SIGTERM, lambda _number, _frame: terminate())
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, lambda _number, _frame: _stop(KeyboardInterrupt))


def terminate() -> None:
    """What SIGTERM does: raise Terminated, now or once nothing holds it back."""
    _stop(Terminated)


def raise_again() -> None:
    """Raise the stop that has come, where it has: whoever calls this would go on otherwise.

    A stop gets lost in code of others. OmegaConf, in the middle of a node, makes an error of its
    own of it; what is raised as a module's lock is freed Python prints, and forgets.
    """
    if _raised is not None:
        raise _raised


@contextmanager
def stops_first() -> Iterator[None]:
    """An error that ends the block after a stop has come ends it as that stop."""
    try:
        yield
    except BaseException:
        raise_again()
        raise


def _stop(kind: type[BaseException]) -> None:
    global _due, _raised
    if _holds > 0:
        _due = kind
        return
    _raised = kind
    raise kind


def hold() -> None:
    """From now on no stop is raised, until `release` is called as often."""
    global _holds
    _holds += 1


def release() -> None:
    """The end of `hold`; raises the stop that was held back."""
    global _holds, _due
    _holds -= 1
    if _holds == 0 and _due is not None:
        kind, _due = _due, None
        _stop(kind)


@contextmanager
def held_back(signals: Collection[signal.Signals] = _STOPS) -> Iterator[None]:
    """Signals that arrive in the block are handled after it; without ``signals`` those that stop.

    Processes that are started in the block never get them. A blocked signal may still reach the
    process by another of its threads, whereupon Python handles it in the main one: what it raises
    waits for the end of the block all the same.
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
