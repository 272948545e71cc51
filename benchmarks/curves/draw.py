"""Some of the recorded trials as a search that is replayed: what it has learned, what it paid."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from benchmarks.curves.curves_file import Recorded


@dataclass
class Draw:
    """Trials in the order in which they are begun, and how far each is trained.

    Every epoch costs one. A trial is over when its recording ends.
    """

    curves: Sequence[Recorded]
    epochs: int
    workers: int
    known: dict[int, int] = field(default_factory=dict)  # epochs of each begun trial
    pauses: int = 0

    def begin(self) -> int:
        number = len(self.known)
        self.known[number] = 0
        return number

    @property
    def unbegun(self) -> int:
        return len(self.curves) - len(self.known)

    def train(self, number: int) -> float:
        """One more epoch; the value after it."""
        self.known[number] += 1
        return self.curves[number].values[self.known[number] - 1]

    def values(self, number: int) -> tuple[float, ...]:
        return self.curves[number].values[: self.known[number]]

    def is_over(self, number: int) -> bool:
        return self.known[number] >= len(self.curves[number].values)

    def is_whole(self, number: int) -> bool:
        return self.is_over(number) and self.curves[number].is_whole

    @property
    def spent(self) -> int:
        return sum(self.known.values())

    @property
    def full_epochs(self) -> int:
        return sum(len(curve.values) for curve in self.curves)

    def winner(self) -> float:
        """The best value of a trial that was trained to its end.

        Where there is none, the best of any that could have been; of none at all, the worst.
        """
        able = [n for n, count in self.known.items() if count and self.curves[n].is_whole]
        whole = [n for n in able if self.is_whole(n)]
        values = [max(self.values(n)) for n in whole or able]
        return max(values, default=min(min(curve.values) for curve in self.curves))

    def full_winner(self) -> float | None:
        """What a search finds that trains every trial to its end; None: all of them diverged."""
        return max((max(c.values) for c in self.curves if c.is_whole), default=None)
