"""What workers say, in order; they are answered even while the sweep waits for something else."""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

from cnnsweep.sweep.messages import Epoch, Job, Message
from cnnsweep.sweep.pool import Pool


@dataclass
class Letter:
    """A message, and whether its sender waits for an answer."""

    slot: int
    job: Job
    message: Message
    wants_answer: bool


class Inbox:
    """Messages that have come and have not been acted on."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._waiting: deque[Letter] = deque()
        self._at_hand: Letter | None = None

    def letters(self, seconds: float) -> Iterator[Letter]:
        """Those at hand, or else the first that come within ``seconds``."""
        if not self._waiting:
            self._receive(seconds)
        while self._waiting:
            self._at_hand = self._waiting.popleft()
            yield self._at_hand
        self._at_hand = None

    def answer(self, letter: Letter, goes_on: bool) -> None:
        """Answer once: a worker that was let go on meanwhile waits for nothing."""
        if letter.wants_answer and self._pool.job(letter.slot) == letter.job:
            self._pool.answer(letter.slot, goes_on)
        letter.wants_answer = False

    def let_go_on(self, seconds: float) -> None:
        """Spend ``seconds`` with workers going on unjudged; their messages are kept for later."""
        for letter in (self._at_hand, *self._waiting):
            if letter is not None:
                self.answer(letter, goes_on=True)
        self._receive(seconds)

    def drop(self, slot: int, job: Job) -> None:
        """Forget what a job that was ended for good has said."""
        self._waiting = deque(
            letter for letter in self._waiting if (letter.slot, letter.job) != (slot, job)
        )

    def _receive(self, seconds: float) -> None:
        for slot, job, message in list(self._pool.messages(seconds)):
            wants_answer = isinstance(message, Epoch) and job.asks
            self._waiting.append(Letter(slot, job, message, wants_answer))
