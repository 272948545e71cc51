"""A cluster's notice to a job that it is about to end: a signal, at a time limit or otherwise."""

import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any, NoReturn

from cnnsweep.process import EARLY_SIGNALS

# SIGTERM: cancelled, requeued or preempted. The others are what clusters can be told to send some
# time before a limit; submitit asks for SIGUSR2, and requeues the job when it comes.
_ALL = (*EARLY_SIGNALS, signal.SIGTERM)


class Preempted(BaseException):
    """This job has been told to go. Not an Exception: no handler may swallow it."""

    def __init__(self, sent: signal.Signals) -> None:
        super().__init__(f"its job was told to go ({sent.name})")
        self.sent = sent


class PreemptionSignals:
    """Signals as they come in; ``given`` is the first of them, ``is_raised`` whether it is also
    raised where the main thread is."""

    def __init__(self) -> None:
        self.given: Preempted | None = None
        self.is_raised = True
        self._before: dict[int, Any] = {}

    def listen(self) -> None:
        """From now on; only the main thread may, so another one's job hears nothing."""
        if threading.current_thread() is threading.main_thread():
            for number in _ALL:
                self._before[number] = signal.signal(number, self._note)

    def restore(self) -> None:
        """Listen no more."""
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def comes_within(self, seconds: float) -> bool:
        """Whether there is a notice, waiting a little for it: a job's processes hear one by one."""
        deadline = time.monotonic() + seconds
        while self.given is None and time.monotonic() < deadline:
            time.sleep(0.05)
        return self.given is not None

    def hand_over(self, notice: Preempted) -> NoReturn:
        """Let whoever listened before us do its part, such as requeueing; then go."""
        before = self._before[notice.sent]
        if callable(before):
            before(notice.sent, None)
        sys.exit(128 + notice.sent)

    def _note(self, number: int, _frame: FrameType | None) -> None:
        if self.given is None:
            self.given = Preempted(signal.Signals(number))
            if self.is_raised:
                raise self.given


@contextmanager
def preemption_signals() -> Iterator[PreemptionSignals]:
    """A block that ends in time when this job is told to go; whoever listened before goes on."""
    preemption = PreemptionSignals()
    preemption.listen()
    try:
        yield preemption
    except Preempted:
        pass  # before there was anything to keep
    finally:
        preemption.restore()
    if preemption.given is not None:
        preemption.hand_over(preemption.given)
