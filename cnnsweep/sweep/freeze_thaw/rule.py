"""Which trial gets the next epoch: a pure function of the learning curves so far."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from cnnsweep.sweep.freeze_thaw.curve import Curve
from cnnsweep.sweep.freeze_thaw.hope import Outlook
from cnnsweep.sweep.freeze_thaw.reserve import Reserve, allowed_epochs, leader_of

AUTO_SHARE = 0.355  # of all epochs, where first epochs tell
# Beyond it, in trials trained to their end: where values come in large steps, as the accuracy of
# few images does, and where first epochs don't tell; as a share no more than the second number.
COARSE, PATIENT = (2.4, 0.5), (4.0, 0.6)
MOST_SHARE = PATIENT[1]


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
    reserve, outlook = Reserve(curves, unbegun, epochs, terms.min_epochs), Outlook(curves)
    most = allowed_epochs(share_of(terms, outlook), curves, unbegun, epochs)
    patient = _more(PATIENT, len(curves)) if terms.budget == "auto" else terms.budget
    most_for_noise = allowed_epochs(patient, curves, unbegun, epochs)
    if leader in waiting and reserve.after(leader) > most and _is_alone(curves):
        return Thaw(leader.number)  # another winner failed, or the limit has sunk
    for curve in _by_promise(waiting, outlook, current):
        limit = most_for_noise if outlook.may_win_by_noise(curve) else most
        if reserve.after(curve) <= limit:
            return Thaw(curve.number)
    return None


def _is_alone(curves: Sequence[Curve]) -> bool:
    """Whether nothing is trained but what is decided now."""
    return all(curve.state != "running" for curve in curves)


def share_of(terms: Terms, outlook: Outlook) -> float:
    """The share of all epochs that may be spent, as the curves look by now.

    Trials that noise may hide go on beyond it, as far as where first epochs tell little.
    """
    if terms.budget != "auto":
        return terms.budget
    if outlook.is_late:
        return _more(PATIENT, outlook.trials)
    return _more(COARSE, outlook.trials) if outlook.is_coarse else AUTO_SHARE


def _more(extra: tuple[float, float], trials: int) -> float:
    return min(AUTO_SHARE + extra[0] / trials, extra[1])


def _by_promise(waiting: Sequence[Curve], outlook: Outlook, current: int | None) -> list[Curve]:
    if outlook.says_nothing:
        return sorted(waiting, key=lambda c: (len(c.values), c.number != current, c.number))
    hopes = outlook.hopes
    return sorted(waiting, key=lambda c: (-hopes[c.number], c.number != current, c.number))
