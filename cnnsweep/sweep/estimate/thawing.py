"""A search that pauses trials, played through by its own rule with made-up learning curves."""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from random import Random

from cnnsweep.sweep.estimate.simulate import Segment
from cnnsweep.sweep.freeze_thaw.curve import Curve
from cnnsweep.sweep.freeze_thaw.rule import BEGIN, Terms, Thaw, next_step

MOST_EPOCHS = 4000  # the rule looks at all curves after each epoch
_SHARE_LOST = 0.15  # of trials never learn
_SPREAD = 0.25  # of what trials reach in the end, below the best
_BELOW = 0.35  # how far below its end a trial is after its first epoch
_SPEED = 0.4  # of the way to its end that an epoch brings, to begin with


@dataclass
class Thawing:
    """Says what a free worker does, as the rule says it of a real search.

    ``known`` are the curves that there are by now; of ``unbegun`` trials and of all epochs to come
    the values are made up, in steps of ``step``: an accuracy has as many as there are images.
    ``begin`` and ``epoch`` are seconds by the trial's number, ``end`` those after its last epoch.
    """

    terms: Terms
    epochs: int
    unbegun: int
    begin: Callable[[int], float]
    epoch: Callable[[int], float]
    end: Callable[[int], float]
    step: float = 0.0
    known: Iterable[Curve] = ()
    trained: int = 0  # epochs, so far
    _curves: dict[int, Curve] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for curve in self.known:
            state = "paused" if curve.state == "running" else curve.state
            self._curves[curve.number] = Curve(curve.number, curve.values, curve.epochs, state)

    @property
    def paused(self) -> int:
        """Trials that wait for another epoch."""
        return sum(curve.state == "paused" for curve in self._curves.values())

    def next(self) -> Segment | None:
        step = next_step(
            list(self._curves.values()), self.terms, unbegun=self.unbegun, epochs=self.epochs
        )
        if step is None:
            return None
        if step == BEGIN:
            self.unbegun -= 1
            number = max(self._curves, default=-1) + 1
            self._curves[number] = Curve(number, (), self.epochs, "running")
        else:
            assert isinstance(step, Thaw)
            number = step.number
            self._set(number, "running")
        return self._epoch(number, self.begin(number))

    def _epoch(self, number: int, before: float) -> Segment:
        return Segment(before + self.epoch(number), lambda: self._over(number))

    def _over(self, number: int) -> Segment | None:
        """An epoch is over: the trial goes on, is paused, or was trained to its end."""
        self.trained += 1
        self._set(number, "paused", more=True)
        curve = self._curves[number]
        if len(curve.values) >= curve.epochs:
            self._set(number, "over")
            return Segment(self.end(number))
        step = next_step(
            list(self._curves.values()),
            self.terms,
            unbegun=self.unbegun,
            epochs=self.epochs,
            current=number,
        )
        if step != Thaw(number):
            return None
        self._set(number, "running")
        return self._epoch(number, 0.0)

    def _set(self, number: int, state: str, *, more: bool = False) -> None:
        curve = self._curves[number]
        values = curve.values
        if more:
            values += (self._value(number, len(values) + 1),)
        self._curves[number] = Curve(number, values, curve.epochs, state)  # type: ignore[arg-type]

    def _value(self, number: int, epoch: int) -> float:
        """Of a made-up curve that rises to a level of its own; a few never leave the start."""
        draw = Random(f"curve {number}")
        level = 1 - _SPREAD * draw.random() ** 2
        if draw.random() < _SHARE_LOST:
            level = 0.1
            value = 0.1
        else:
            value = level - _BELOW * (0.5 + draw.random()) * math.exp(-_SPEED * (epoch - 1))
        value += 0.004 * (Random(f"noise {number} {epoch}").random() - 0.5)
        before = self._curves[number].values
        if before and self.known:
            value = max(value, before[-1])
        return round(value / self.step) * self.step if self.step else value
