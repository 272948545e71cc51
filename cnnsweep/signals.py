"""SIGTERM as an exception, so that a run can record its outcome before it goes."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class Terminated(BaseException):
    """The process was asked to end (SIGTERM). Not an Exception: no handler may swallow it."""


def raise_on_sigterm() -> None:
    """From now on SIGTERM raises Terminated in the main thread, which must be the caller's."""
    signal.signal(signal.SIGTERM, _raise)


@contextmanager
def held_back() -> Iterator[None]:
    """Let SIGINT and SIGTERM wait until the block is done: what it does is not torn apart."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _raise(_number: int, _frame: FrameType | None) -> None:
    raise Terminated
