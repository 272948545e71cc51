"""The time that is left goes to the leader's remaining epochs."""

import math
from dataclasses import dataclass

import optuna
import pytest
from optuna.distributions import FloatDistribution

from cnnsweep.sweep.freeze_thaw.paused import PAUSED
from cnnsweep.sweep.freeze_thaw.rule import BEGIN, Terms, Thaw
from cnnsweep.sweep.freeze_thaw.schedule import Schedule

EPOCHS = 5


@dataclass
class Clock:
    now: float = 0.0

    def __call__(self) -> float:
        return self.now


def schedule(
    curves: dict[int, list[float]],
    clock: Clock,
    end: float = math.inf,
    unbegun: int = 3,
    seeds: int = 1,
) -> Schedule:
    """Of paused trials with these curves."""
    study = optuna.create_study(direction="maximize")
    for values in curves.values():
        trial = study.ask({"x": FloatDistribution(0, 1)})
        for epoch, value in enumerate(values, start=1):
            trial.report(value, epoch)
        trial.set_user_attr(PAUSED, len(values))
    made = Schedule(
        study,
        Terms("auto", 1),
        lambda _: EPOCHS,
        EPOCHS,
        lambda: unbegun,
        lambda: end - clock(),
        seeds,
    )
    made._clock = clock
    return made


def trained(made: Schedule, clock: Clock, number: int, seconds: float) -> None:
    """The trial has trained an epoch of so many seconds."""
    made.begun(number)
    clock.now += seconds
    made.epoch_ended(number)


CURVES = {0: [0.2, 0.3], 1: [0.5], 2: [0.1]}


@pytest.mark.parametrize("seeds", [1, 3])
def test_the_leaders_epochs_are_kept_in_reserve_until_the_time_is_up(seeds: int) -> None:
    clock = Clock()
    made = schedule(CURVES, clock, end=1000.0, seeds=seeds)
    trained(made, clock, 1, 10.0)
    needed = 4 * 10.0 * seeds + 10.0  # and the epoch that another worker may be in
    clock.now = 1000.0 - needed - 1
    assert made.next_step() == BEGIN
    clock.now += 2
    assert made.next_step() == Thaw(1)
    assert made.goes_on(1)
    assert not made.goes_on(0)
    clock.now = 5000.0
    assert made.next_step() == Thaw(1)


def test_nothing_is_begun_or_thawed_for_a_leader_that_is_whole_or_at_work() -> None:
    clock = Clock()
    made = schedule(CURVES, clock, end=1.0)
    clock.now = 2.0
    assert made.next_step() == Thaw(1)
    leader = made.study.get_trials()[1]
    storage = made.study._storage
    storage.set_trial_user_attr(leader._trial_id, PAUSED, None)
    assert made.next_step() is None
    made.study.tell(1, 0.5)
    assert made.next_step() is None
    assert not made.goes_on(0)


def test_before_anything_is_known_the_end_of_the_time_is_the_end() -> None:
    clock = Clock()
    made = schedule({}, clock, end=1.0, unbegun=3)
    assert made.next_step() == BEGIN
    made = schedule({}, clock, end=1.0, unbegun=0)
    clock.now = 2.0
    assert made.next_step() is None


def test_without_a_timeout_the_clock_decides_nothing() -> None:
    clock = Clock()
    made = schedule(CURVES, clock)
    trained(made, clock, 1, 1e9)
    assert made.next_step() == BEGIN
