"""Who trains the next epoch: the rule, asked about a study, and about the time that is left."""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from optuna.study import Study
from optuna.trial import FrozenTrial

from cnnsweep.sweep.freeze_thaw.curve import Curve
from cnnsweep.sweep.freeze_thaw.curves import CurveBook
from cnnsweep.sweep.freeze_thaw.reserve import leader_of
from cnnsweep.sweep.freeze_thaw.rule import Step, Terms, Thaw, next_step


@dataclass
class Schedule:
    """Asks the rule what a worker is to do.

    ``epochs`` tells how many a trial has in all, at most ``most_epochs``; ``unbegun`` how many
    trials may still be begun; ``time_left`` the seconds until the sweep's time is up (infinity:
    there is no end). ``seeds`` are the runs of a trial.
    """

    study: Study
    terms: Terms
    epochs: Callable[[FrozenTrial], int]
    most_epochs: int
    unbegun: Callable[[], int]
    time_left: Callable[[], float]
    seeds: int
    _said: dict[tuple[int, int, int | None], Step] = field(default_factory=dict)
    _clock: Callable[[], float] = time.monotonic
    _since: dict[int, float] = field(default_factory=dict)  # the end of our trials' last epochs
    _seconds: dict[int, float] = field(default_factory=dict)  # that these took

    def __post_init__(self) -> None:
        self._book = CurveBook(self.study, self.epochs)

    def next_step(self, current: int | None = None) -> Step:
        """What a free worker does now; with ``current``, whether that trial's worker goes on."""
        curves = self._book.read(current)
        if math.isfinite(self.time_left()) and self._is_late(leader := leader_of(curves)):
            return _last_step(leader, current)
        asked = self._book.edition, self.unbegun(), current
        if asked not in self._said:  # it is asked several times before anything has changed
            step = next_step(
                curves, self.terms, unbegun=asked[1], epochs=self.most_epochs, current=current
            )
            self._said = {asked: step}
        return self._said[asked]

    def goes_on(self, number: int) -> bool:
        """Whether a trial whose epoch has just ended is still the one that promises most."""
        return self.next_step(number) == Thaw(number)

    def begun(self, number: int) -> None:
        """A worker begins, or goes on with, a trial."""
        self._since[number] = self._clock()

    def epoch_ended(self, number: int) -> None:
        """A trial has trained one more epoch."""
        now = self._clock()
        self._seconds[number] = now - self._since.get(number, now)
        self._since[number] = now

    def _is_late(self, leader: Curve | None) -> bool:
        """Whether the time that is left is what the leader needs to be trained to its end."""
        left = self.time_left()
        if leader is None or leader.state == "over":
            return left <= 0
        slowest = max(self._seconds.values(), default=0.0)
        each = self._seconds.get(leader.number, slowest)
        epochs = self.seeds * (leader.epochs - len(leader.values))
        return left <= each * epochs + slowest


def _last_step(leader: Curve | None, current: int | None) -> Step:
    """Nothing but the leader's remaining epochs."""
    if leader is None or leader.state != "paused" or current not in (None, leader.number):
        return None
    return Thaw(leader.number)
