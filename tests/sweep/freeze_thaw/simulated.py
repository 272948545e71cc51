"""Searches whose runs are simulated: their folders say what they trained, as real ones do."""

from collections.abc import Generator
from dataclasses import dataclass, field
from random import Random

from cnnsweep.sweep.spec.messages import Answer, Finished, Job, Message, Started
from tests.sweep.study.in_process import EPOCHS, Parts, epoch

Talk = Generator[Message, Answer, None]


def loss(job: Job, number: int) -> float:
    """The validation loss of a run after an epoch: it falls, by chance, to a level of its own."""
    level = Random(f"level {job.trial}").random()
    noise = Random(f"noise {job.folder} {number}").random()
    return level + 1 / number + 0.2 * noise


@dataclass
class Disk:
    """What runs leave on the disk: the epochs that each has trained, in the order of training.

    Runs that ``stop_early`` end after a number of epochs of their own.
    """

    epochs: int = EPOCHS
    stop_early: bool = False
    trained: list[tuple[str, int]] = field(default_factory=list)

    def reached(self, folder: str) -> int:
        return sum(name == folder for name, _ in self.trained)

    def run(self, job: Job, parts: Parts) -> Talk:
        """What a worker says of a job, and does meanwhile."""
        yield Started()
        behind = self.reached(job.folder)
        early = Random(f"end {job.folder}").randint(1, self.epochs)
        last = early if self.stop_early else self.epochs
        for number in range(1, last + 1):
            if number > behind:
                self.trained.append((job.folder, number))
            if (yield epoch(number, loss(job, number))) == "pause" and number < last:
                parts.write_result(job, loss(job, number), "paused")
                yield Finished("paused")
                return
        best = min(loss(job, number) for number in range(1, last + 1))
        parts.write_result(job, best)
        yield Finished("completed", best)


def drive(parts: Parts, disk: Disk, events: int | None = None, order: Random | None = None) -> int:
    """Let the workers work until the search is done, or for so many events; how many there were.

    ``order`` says which of several workers is next.
    """
    talks: dict[int, tuple[Job, Talk]] = {}
    answers: dict[int, Answer] = {}
    count = 0
    while not parts.loop.step():
        for slot, job in parts.pool.jobs.items():
            if slot not in talks or talks[slot][0] is not job:
                talks[slot] = job, disk.run(job, parts)
                answers.pop(slot, None)
        if not parts.pool.jobs:
            continue
        if count == events:
            return count
        slots = sorted(parts.pool.jobs)
        slot = order.choice(slots) if order else slots[0]
        job, talk = talks[slot]
        message = talk.send(answers.pop(slot)) if slot in answers else next(talk)
        before = len(parts.pool.answers)
        parts.send(message, slot)
        answers.update(dict(parts.pool.answers[before:]))
        count += 1
    return count


def table(parts: Parts) -> list[tuple[object, ...]]:
    """All that is to be equal after a kill."""
    return [
        (t.number, t.state.name, t.values, t.params, t.user_attrs, t.intermediate_values)
        for t in parts.search.study.get_trials(deepcopy=False)
    ]
