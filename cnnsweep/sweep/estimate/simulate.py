"""How long jobs take on workers side by side, each going to the first worker that is free."""

import heapq
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Protocol


@dataclass(frozen=True)
class Segment:
    """What a worker does for some seconds; ``over`` says what it does right after that, if any."""

    seconds: float
    over: Callable[[], "Segment | None"] = lambda: None


class Source(Protocol):
    """Says what a free worker does."""

    def next(self) -> Segment | None:
        """None: nothing now; perhaps later, when another segment is over."""


class Queue:
    """Jobs of so many seconds, one after the other."""

    def __init__(self, seconds: Iterable[float]) -> None:
        self._waiting = deque(seconds)

    def next(self) -> Segment | None:
        return Segment(self._waiting.popleft()) if self._waiting else None


def makespan(sources: Sequence[Source], workers: int, start: float = 0.0) -> float:
    """Seconds until all is done; a free worker asks the sources in their order.

    A worker takes ``start`` seconds to begin its first segment.
    """
    free, idle = deque[float](), workers  # times at which workers that have started were done
    busy: list[tuple[float, int, Segment]] = []
    order, now = count(), 0.0
    while True:
        while idle or free:
            segment = next((s for one in sources if (s := one.next()) is not None), None)
            if segment is None:
                break
            if free:
                free.popleft()
                begun = now
            else:
                idle -= 1
                begun = now + start
            heapq.heappush(busy, (begun + segment.seconds, next(order), segment))
        if not busy:
            return now
        now, _, done = heapq.heappop(busy)
        following = done.over()
        if following is None:
            free.append(now)
        else:
            heapq.heappush(busy, (now + following.seconds, next(order), following))
