"""The sweep's loop: free workers get jobs at once, and what workers say is acted on."""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

from cnnsweep.sweep.progress import SweepProgress
from cnnsweep.sweep.spec.messages import Died, Ended, Epoch, Job, Left, Lost, Message
from cnnsweep.sweep.study.failure_policy import StoppedEarly
from cnnsweep.sweep.study.retrying_storage import RetryPolicy
from cnnsweep.sweep.study.search import Search
from cnnsweep.sweep.workers.pool import Pool

TICK_SECONDS = 0.2
_STARTS = 3  # workers in a row that may die before they begin anything


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
            wants_answer = isinstance(message, Epoch) and job.is_prunable
            self._waiting.append(Letter(slot, job, message, wants_answer))


def work(
    searches: list[Search],
    pool: Pool,
    trial_timeout: float | None,
    patience: RetryPolicy,
    display: SweepProgress,
) -> None:
    """Run until every search is done; while the storage is away, workers go on.

    Raises:
        StoppedEarly: failures end the sweep, or workers cannot start.
    """
    dead_starts = 0
    inbox = Inbox(pool)
    patience.meanwhile = inbox.let_go_on
    _hand_out(searches, pool, display)
    while not all(search.is_done() for search in searches):
        for letter in inbox.letters(TICK_SECONDS):
            slot, job, message = letter.slot, letter.job, letter.message
            if not isinstance(message, Left | Lost):
                dead_starts = dead_starts + 1 if _died_early(message) else 0
            if dead_starts >= _STARTS:
                raise StoppedEarly(f"workers cannot start ({message}); see {pool.log(slot)}")
            _act(searches[job.search_index], letter, inbox, display)
        if trial_timeout is not None:
            _end_overdue(searches, pool, inbox, trial_timeout, display)
        _hand_out(searches, pool, display)
        display.refresh(searches)


def _hand_out(searches: list[Search], pool: Pool, display: SweepProgress) -> None:
    for slot in pool.free_slots():
        job = next((j for j in (search.next_job() for search in searches) if j is not None), None)
        if job is None:
            return
        pool.give(slot, job)
        display.begun(slot, job)


def _died_early(message: Message) -> bool:
    return isinstance(message, Died) and not message.had_started


def _act(search: Search, letter: Letter, inbox: Inbox, display: SweepProgress) -> None:
    slot, job, message = letter.slot, letter.job, letter.message
    if isinstance(message, Epoch):
        display.epoch_ended(slot, message)
        inbox.answer(letter, search.epoch_ended(job, message))
    elif isinstance(message, Ended | Died | Left | Lost):
        display.over(slot)
        if isinstance(message, Ended):
            search.ended(job, message)
        elif isinstance(message, Left):
            search.left(job, message.cause)
        elif isinstance(message, Lost):
            search.lost(job, message.cause)
        elif message.had_started:
            search.died(job, message.cause, retry=True)
        else:
            search.give_back(job)


def _end_overdue(
    searches: list[Search], pool: Pool, inbox: Inbox, trial_timeout: float, display: SweepProgress
) -> None:
    for slot in pool.busy_slots():
        job = pool.job(slot)  # None: over since, while another's end waited for the storage
        seconds = None if job is None else pool.seconds(slot)
        if job is not None and seconds is not None and seconds > trial_timeout:
            died = pool.kill(slot, f"timed out: hydra.sweeper.trial_timeout={trial_timeout:g} s")
            inbox.drop(slot, job)
            display.over(slot)
            searches[job.search_index].died(job, died.cause, retry=False)
