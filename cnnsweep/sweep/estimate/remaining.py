"""How long a sweep still takes, by what it has done so far: pure functions of plain numbers."""

import heapq
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

_TRUST = 1.0  # runs that what earlier ones took counts for
_FADE = 0.95  # what a piece of work counts for, once another one is done: machines get busier
FIRST_LINE = 20.0  # seconds before the first line on the time left, and between two of them:
_BETWEEN, _SHARE = 60.0, 0.2  # so many seconds, or so much of those that are left
_SHORT = 45.0  # seconds left that no line is worth, soon after another one


@dataclass
class Pace:
    """Seconds of a piece of work, a run or an epoch, on average.

    ``before`` is what earlier runs took, None: nobody knows; each piece that is done counts more.
    ``late_pieces`` and ``late_seconds`` are those of late: the older one is the less it counts.
    """

    before: float | None = None
    pieces: float = 0.0
    seconds: float = 0.0
    late_pieces: float = 0.0
    late_seconds: float = 0.0

    def add(self, seconds: float, pieces: float = 1.0) -> None:
        """So many pieces took so many seconds; none: what workers do beside them."""
        self.seconds += seconds
        self.pieces += pieces
        fade = _FADE**pieces
        self.late_seconds = fade * self.late_seconds + seconds
        self.late_pieces = fade * self.late_pieces + pieces

    @property
    def each(self) -> float | None:
        """None before anything is known."""
        if self.before is None:
            return self.seconds / self.pieces if self.pieces else None
        return (self.seconds + _TRUST * self.before) / (self.pieces + _TRUST)

    def now(self, running: Iterable[float] = ()) -> float | None:
        """Of late. ``running`` are seconds that unfinished pieces have taken: long ones count."""
        trust = 0.0 if self.before is None else _TRUST * _FADE**self.pieces
        pieces = self.late_pieces + trust
        if not pieces:
            return None
        seconds = self.late_seconds + trust * (self.before or 0.0)
        each = seconds / pieces
        late = [taken for taken in running if taken > each]
        return (seconds + sum(late)) / (pieces + len(late))


def seconds_left(each: float, running: Sequence[float], waiting: int, workers: int) -> float:
    """Until all runs are over, each of which takes ``each`` seconds.

    ``running`` are the seconds that those in work have taken so far; ``waiting`` others follow,
    each on the first of so many ``workers`` that is free. One that takes longer than expected is
    taken to be about to end.
    """
    ends = sorted(max(0.0, each - taken) for taken in running)
    places = [0.0] * max(0, workers - len(ends)) + ends
    places = places[: max(1, workers, len(ends))]
    rounds, rest = divmod(waiting, len(places))
    heapq.heapify(places)
    if rounds > 1:  # all get as many, however they begin
        places = [place + (rounds - 1) * each for place in places]
        rest += len(places)
    else:
        rest = waiting
    for _ in range(rest):
        heapq.heapreplace(places, places[0] + each)
    return max(places)


def epochs_left_in_seconds(each: float, epochs: int, alone: int, workers: int) -> float:
    """Until so many epochs are trained, ``alone`` of them one after the other in one trial."""
    return each * max(epochs / max(1, workers), alone)


def is_due(since_begin: float, since_line: float | None, left: float) -> bool:
    """Whether to say a line on the time that is left; ``since_line``: None before the first."""
    if left < _SHORT:
        return (since_begin if since_line is None else since_line) >= _BETWEEN
    if since_line is None:
        return since_begin >= FIRST_LINE
    return since_line >= max(_BETWEEN, _SHARE * left)
