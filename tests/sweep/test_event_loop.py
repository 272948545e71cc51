"""Workers that wait for an answer get one, and nobody else does."""

from collections.abc import Iterator

from cnnsweep.sweep.event_loop import Inbox
from cnnsweep.sweep.spec.messages import Epoch, Job, Message
from cnnsweep.sweep.workers.pool import Pool


class Scripted(Pool):
    """Slots with these jobs, whose workers say these things."""

    def __init__(self, jobs: dict[int, Job]) -> None:
        self.jobs = jobs
        self.said: list[tuple[int, Job, Message]] = []
        self.answered: list[tuple[int, bool]] = []

    def job(self, slot: int) -> Job | None:
        return self.jobs.get(slot)

    def messages(self, _seconds: float) -> Iterator[tuple[int, Job, Message]]:
        while self.said:
            yield self.said.pop(0)

    def answer(self, slot: int, goes_on: bool) -> None:
        self.answered.append((slot, goes_on))


def job(number: int) -> Job:
    return Job(0, number, 0, str(number), number, (), is_prunable=True)


def test_an_epoch_is_answered_once_though_its_judgement_takes_long() -> None:
    pool = Scripted({0: job(0)})
    inbox = Inbox(pool)
    pool.said.append((0, job(0), Epoch(1, {})))
    for letter in inbox.letters(0):
        inbox.let_go_on(0)
        inbox.answer(letter, goes_on=False)
    assert pool.answered == [(0, True)]


def test_what_a_killed_job_said_is_forgotten_and_the_next_one_gets_no_answer_to_it() -> None:
    pool = Scripted({0: job(0), 1: job(1)})
    inbox = Inbox(pool)
    pool.said += [(0, job(0), Epoch(7, {})), (1, job(1), Epoch(1, {}))]
    inbox.let_go_on(0)
    inbox.drop(0, job(0))
    pool.jobs[0] = job(2)
    heard = []
    for letter in inbox.letters(0):
        heard.append((letter.slot, letter.job))
        inbox.answer(letter, goes_on=True)
    assert heard == [(1, job(1))]
    assert pool.answered == [(1, True)]


def test_a_slot_that_has_another_job_by_now_is_not_answered() -> None:
    pool = Scripted({0: job(0)})
    inbox = Inbox(pool)
    pool.said.append((0, job(0), Epoch(1, {})))
    inbox.let_go_on(0)
    pool.jobs[0] = job(1)
    inbox.let_go_on(0)
    assert pool.answered == []
