"""A cluster's notice to a job that it is about to end: a signal, at a time limit or otherwise."""

import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

from cnnsweep.process import EARLY_SIGNALS

# SIGTERM: cancelled, requeued or preempted. The others are what clusters can be told to send some
# time before a limit; submitit asks for SIGUSR2, and requeues the job when it comes.
_ALL = (*EARLY_SIGNALS, signal.SIGTERM)


class Preempted(BaseException):
    """This job has been told to end. Not an Exception: no handler may swallow it."""

    def __init__(self, sent: signal.Signals) -> None:
        super().__init__(f"its job was preempted ({sent.name})")
        self.sent = sent


class PreemptionSignals:
    """``given`` is the first signal that came; ``is_raised``: it is also raised when it comes."""

    def __init__(self) -> None:
        self.given: Preempted | None = None
        self.is_raised = True

    def comes_within(self, seconds: float) -> bool:
        """Whether a signal has come or comes soon: a job's processes get it one after another."""
        deadline = time.monotonic() + seconds
        while self.given is None and time.monotonic() < deadline:
            time.sleep(0.05)
        return self.given is not None

    def note(self, number: int, _frame: FrameType | None) -> None:
        """The handler of all these signals."""
        if self.given is None:
            self.given = Preempted(signal.Signals(number))
            if self.is_raised:
                raise self.given


@contextmanager
def preemption_signals() -> Iterator[PreemptionSignals]:
    """Catch preemption signals in a block; one that raises Preempted there ends the block.

    If one came, its former handler runs after the block (which may requeue the job), and the
    process exits. Outside the main thread no signals are caught.
    """
    preemption = PreemptionSignals()
    before: dict[int, Any] = {}
    if threading.current_thread() is threading.main_thread():
        for number in _ALL:
            before[number] = signal.signal(number, preemption.note)
    try:
        yield preemption
    except Preempted:
        pass  # before there was a worker
    finally:
        for caught, handler in before.items():
            signal.signal(caught, handler)
    if preemption.given is not None:
        sent = preemption.given.sent
        if callable(before[sent]):
            before[sent](sent, None)
        sys.exit(128 + sent)
