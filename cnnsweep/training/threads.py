"""How many CPU threads train a run: as many as each make it faster, found by timing its steps."""

import logging
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from copy import deepcopy
from statistics import median
from time import perf_counter

import torch

from cnnsweep import rules
from cnnsweep.errors import on_one_line
from cnnsweep.training.trainer import Trainer

log = logging.getLogger(__name__)

TYPED_FOR_ALL = "OMP_NUM_THREADS"  # what a person or a batch system says of every program
_WORTH = 0.2  # of what one thread makes: what each further thread must add
_LONG = 1.0  # seconds of a step on one thread from which all cores are worth it, timing is not
_ROUNDS = 4
_BLOCK = 2  # steps timed in each round, after one that is not: threads must first be there
_BUDGET = 0.6  # seconds


def use_threads(number: int) -> int:
    """Have torch compute with so many threads on the CPU; returns the number."""
    torch.set_num_threads(number)
    return number


def threads_typed_for_all() -> int | None:
    """The number in OMP_NUM_THREADS, which torch follows; None where it is not set.

    Raises UserError for more threads than a process is to have.
    """
    typed = os.environ.get(TYPED_FOR_ALL, "").split(",")[0].strip()
    if not typed.isdecimal() or int(typed) == 0:
        return None
    number: int = rules.threads(TYPED_FOR_ALL).check(int(typed))
    return number


def trial_step(trainer: Trainer) -> Callable[[], None] | None:
    """A forward and a backward pass of the first batch, on copies of the model and the loss.

    It leaves no trace: each epoch seeds the generators anew. None for a model or a loss of one's
    own that cannot be copied, as with a lock in it.
    """
    try:
        model, loss_of = deepcopy((trainer.model, trainer.loss))
    except Exception as error:  # noqa: BLE001 — somebody's module, somebody's error
        log.info("steps are not timed: %s", on_one_line(error))
        return None
    trainer.prepare(model)
    images, labels = next(iter(trainer.train))

    def step() -> None:
        with trainer.cast:
            loss = loss_of(model(images), labels)
        loss.backward()  # type: ignore[no-untyped-call]
        model.zero_grad(set_to_none=True)

    return step


def time_steps(step: Callable[[], None], most: int) -> dict[int, list[float]]:
    """Seconds of a few steps with 1, 2, 4, … and ``most`` threads, by the number of threads.

    The numbers take turns. Steps of more than a second are not timed, nor those that have no
    choice: then there is no entry. Torch is left with the last number it was timed with.
    """
    if most == 1:
        return {}
    use_threads(1)
    step()  # makes its kernels
    if _seconds(step) > _LONG:
        return {}
    taken: dict[int, list[float]] = {number: [] for number in _numbers(most)}
    began = perf_counter()
    for _ in range(_ROUNDS):
        for number, seconds in taken.items():
            use_threads(number)
            step()
            seconds += [_seconds(step) for _ in range(_BLOCK)]
        if perf_counter() - began > _BUDGET:
            break
    return taken


def _numbers(most: int) -> Iterator[int]:
    number = 1
    while number < most:
        yield number
        number *= 2
    yield most


def _seconds(step: Callable[[], None]) -> float:
    began = perf_counter()
    step()
    return perf_counter() - began


def worthwhile(seconds: Mapping[int, Sequence[float]], most: int) -> int:
    """The number of threads beyond which another adds less than a fifth of what one makes.

    ``seconds`` are those of some steps, by ascending number of threads, the first of them 1.
    Without any, ``most``. Between two numbers each thread counts as adding equally much.

    By the least step of each number: what else the machine does makes a step longer, never shorter.
    But threads that seldom get their cores make most steps longer than fewer threads do, and are
    not taken: the median step must not be longer.
    """
    if not seconds:
        return most
    chosen, *more = seconds
    alone = min(seconds[chosen])
    for number in more:
        taken, before = seconds[number], seconds[chosen]
        added = alone / min(taken) - alone / min(before)  # in units of one thread's speed
        if added < _WORTH * (number - chosen) or median(taken) > median(before):
            break
        chosen = number
    return chosen
