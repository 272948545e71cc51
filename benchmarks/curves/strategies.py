"""Strategies that need no library: from all epochs for all trials to those of the winner only."""

from collections import defaultdict
from collections.abc import Set
from math import ceil

from benchmarks.curves.clock import run
from benchmarks.curves.draw import Draw
from cnnsweep.sweep.freeze_thaw.curve import Curve
from cnnsweep.sweep.freeze_thaw.rule import Begin, Terms, next_step

REDUCTION = 3  # ASHA's: of so many trials that reach a rung one goes on
KEPT = 4  # of this share of trials one is trained to its end after one epoch of each


def full(draw: Draw) -> None:
    def choose(_: Draw, __: Set[int], current: int | None) -> int | None:
        return _next(draw, current)

    run(draw, choose)


def freeze_thaw(draw: Draw, terms: Terms) -> None:
    """The search's own rule."""

    def choose(_: Draw, running: Set[int], current: int | None) -> int | None:
        curves = [_curve(draw, number, running) for number in draw.known]
        step = next_step(curves, terms, unbegun=draw.unbegun, epochs=draw.epochs, current=current)
        if step is None:
            return None
        return draw.begin() if isinstance(step, Begin) else step.number

    run(draw, choose)


def asha_stopping(draw: Draw) -> None:
    """A trial that reaches a rung ends there, unless it is among the best third so far."""
    rungs: dict[int, list[float]] = {epoch: [] for epoch in _rungs(draw.epochs)}

    def choose(_: Draw, __: Set[int], current: int | None) -> int | None:
        epoch = 0 if current is None else draw.known[current]
        if current is not None and epoch in rungs:
            value = draw.values(current)[-1]
            rungs[epoch].append(value)
            if value < sorted(rungs[epoch])[-ceil(len(rungs[epoch]) / REDUCTION)]:
                current = None
        return _next(draw, current)

    run(draw, choose)


def asha_promotion(draw: Draw) -> None:
    """A trial waits at a rung until it is among the best third of those that reached it.

    The best at the end is trained to its last epoch: the highest rung may be empty.
    """
    rungs, promoted = _rungs(draw.epochs), defaultdict[int, set[int]](set)

    def choose(_: Draw, running: Set[int], current: int | None) -> int | None:
        if current is not None and draw.known[current] not in rungs:
            return current
        for rung in reversed(rungs):
            reached = [n for n, count in draw.known.items() if count >= rung]
            reached.sort(key=lambda n: -draw.values(n)[rung - 1])
            for number in reached[: len(reached) // REDUCTION]:
                if number in running or number in promoted[rung] or draw.is_over(number):
                    continue
                if draw.known[number] == rung:
                    promoted[rung].add(number)
                    return number
        return _next(draw, None)

    run(draw, choose)
    _finish_best(draw)


def first_epoch_then_best(draw: Draw) -> None:
    """One epoch of every trial, then the best quarter to the end."""
    kept: list[int] = []

    def choose(_: Draw, running: Set[int], current: int | None) -> int | None:
        if current is not None and draw.known[current] > 1:
            return current
        if draw.unbegun:
            return draw.begin()
        if not kept and all(draw.known[number] > 0 for number in running):
            able = [n for n in draw.known if not draw.is_over(n) and n not in running]
            able.sort(key=lambda n: -draw.values(n)[0])
            kept.extend(able[: ceil(len(draw.curves) / KEPT)])
        return next((n for n in kept if n not in running and not draw.is_over(n)), None)

    run(draw, choose)


def oracle(draw: Draw) -> None:
    """The winner only, known beforehand."""
    able = [n for n, curve in enumerate(draw.curves) if curve.is_whole]
    best = max(able, key=lambda n: max(draw.curves[n].values), default=0)
    draw.known[best] = len(draw.curves[best].values)


def _next(draw: Draw, current: int | None) -> int | None:
    if current is not None:
        return current
    return draw.begin() if draw.unbegun else None


def _rungs(epochs: int) -> list[int]:
    return [REDUCTION**k for k in range(epochs) if REDUCTION**k < epochs]


def _finish_best(draw: Draw) -> None:
    able = [n for n in draw.known if not draw.is_over(n) or draw.is_whole(n)]
    best = max(able, key=lambda n: (max(draw.values(n)), draw.known[n]), default=None)
    while best is not None and not draw.is_over(best):
        draw.train(best)


def _curve(draw: Draw, number: int, running: Set[int]) -> Curve:
    values = draw.values(number)
    if number in running:
        return Curve(number, values, draw.epochs, "running")
    return Curve(number, values, draw.epochs, "over" if draw.is_over(number) else "paused")
