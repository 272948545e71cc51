"""Which trial gets the next epoch: a pure function of the learning curves so far."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt
from statistics import median
from typing import Literal

from .curve import Curve
from .reserve import Reserve, allowed_epochs, leader_of

AUTO_SHARE = 0.5  # of all epochs, at most
HOPE = 0.5


@dataclass(frozen=True)
class Terms:
    """What a user decides: the keys of ``hydra/sweeper/pruner=freeze_thaw``.

    ``budget`` (there: auto): the share of all epochs that may be spent, in (0, 1]; it is spent as
    far as there is something to do. ``auto``: the curves decide how much is enough.
    ``min_epochs`` (there: 1): what every trial gets before it may be paused; 1 or more.
    """

    budget: float | Literal["auto"]
    min_epochs: int


@dataclass(frozen=True)
class Begin:
    """Begin the next trial."""


@dataclass(frozen=True)
class Thaw:
    """Train one more epoch of a trial."""

    number: int


Step = Begin | Thaw | None
BEGIN = Begin()


def next_step(
    curves: Sequence[Curve],
    terms: Terms,
    *,
    unbegun: int,
    epochs: int,
    current: int | None = None,
) -> Step:
    """What a free worker does next.

    ``unbegun`` trials of ``epochs`` epochs may still be begun. ``current``: the trial, given as
    paused, whose epoch has just ended in this worker, which could simply go on; Thaw(current) means
    that it does, anything else that it is paused. None: nothing for this worker now; with no curve
    running, the search is over.
    """
    waiting = [curve for curve in curves if curve.state == "paused"]
    young = [curve for curve in waiting if len(curve.values) < min(terms.min_epochs, curve.epochs)]
    if young:
        return Thaw(min(young, key=lambda c: (c.number != current, c.number)).number)
    if unbegun:
        return BEGIN
    leader = leader_of(curves)
    if leader is None:
        return None
    reserve = Reserve(curves, unbegun, epochs, terms.min_epochs)
    share = AUTO_SHARE if terms.budget == "auto" else terms.budget
    most = allowed_epochs(share, curves, unbegun, epochs)
    if reserve.after(leader) > most and all(curve.state != "running" for curve in curves):
        return Thaw(leader.number) if leader in waiting else None  # another winner failed
    hopes = _hopes(curves)
    for curve in sorted(waiting, key=lambda c: (-hopes[c.number], c.number != current, c.number)):
        enough = leader.state == "over" and hopes[curve.number] <= hopes[leader.number]
        if terms.budget == "auto" and enough:
            return None
        if reserve.after(curve) <= most:
            return Thaw(curve.number)
    return None


def _hopes(curves: Sequence[Curve]) -> dict[int, float]:
    """What each trial may reach: its best so far, and the more the fewer epochs it has had."""
    known = [curve for curve in curves if curve.values]
    firsts = median(curve.values[0] for curve in known)
    scale = max(curve.best for curve in known) - firsts
    return {c.number: c.best + HOPE * scale / sqrt(len(c.values)) for c in known}
