"""Workers whose epochs last one unit of time each, and who decide one after the other."""

from collections.abc import Callable, Set

from benchmarks.curves.draw import Draw

# (draw, running trials, the one whose epoch has just ended or None) -> the trial to train now
Choose = Callable[[Draw, Set[int], int | None], int | None]


def run(draw: Draw, choose: Choose) -> None:
    """Let workers train what ``choose`` says, until it has nothing for any of them.

    A free worker is asked about again whenever an epoch has ended.
    """
    running: list[int] = []  # in the order in which they were begun or went on
    _employ(draw, choose, running)
    while running:
        for number in list(running):
            running.remove(number)
            draw.train(number)
            current = None if draw.is_over(number) else number
            chosen = choose(draw, set(running), current)
            draw.pauses += current is not None and chosen != current
            if chosen is not None:
                running.append(chosen)
            _employ(draw, choose, running)


def _employ(draw: Draw, choose: Choose, running: list[int]) -> None:
    while len(running) < draw.workers:
        chosen = choose(draw, set(running), None)
        if chosen is None:
            return
        running.append(chosen)
