"""The time left as a running sweep shows it: real searches in this process, a clock of our own."""

import math
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest
from omegaconf import OmegaConf

from cnnsweep.sweep.estimate.live import Before, TimeLeft
from cnnsweep.sweep.freeze_thaw.paused import PAUSED
from cnnsweep.sweep.freeze_thaw.remaining import epochs_left
from cnnsweep.sweep.spec.messages import Epoch, Job
from cnnsweep.sweep.study.ask import Asker
from cnnsweep.sweep.study.search import Search
from tests.sweep.test_paused_trials import searching
from tests.sweep.test_results import make_search


class Clock:
    """Seconds, as a test sets them."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def job(number: int, trial: int | None = 0) -> Job:
    return Job(0, trial, 0, str(number), number, (), is_prunable=True)


def of_trials(folder: Path, trials: int, confirm: int = 0) -> Search:
    """A search of so many trials that nothing pauses."""
    search = make_search(folder, confirm=confirm)
    assert isinstance(search.asker, Asker)
    search.asker.wanted = trials
    search.time_left = lambda: math.inf
    return search


def seconds(left: TimeLeft, search: Search) -> float | None:
    found = left.of([search])
    return None if found is None else found.seconds


@pytest.mark.parametrize("seed", range(10))
def test_epochs_that_a_resumed_run_only_tells_again_do_not_count(seed: int) -> None:
    draw, clock = Random(seed), Clock()
    left = TimeLeft(clock=clock)
    left.begun(0, job(0))
    clock.now = 1.0
    for number in range(1, 5):
        left.epoch_ended(0, Epoch(number, {"train_seconds": 9.0}))
    each = draw.uniform(9.5, 12)
    clock.now += each - 1.0
    left.epoch_ended(0, Epoch(5, {"train_seconds": 9.0}))
    assert left._epochs.each == pytest.approx(each)


def test_equal_trials_on_two_workers_end_when_it_says(tmp_path: Path) -> None:
    search, clock = of_trials(tmp_path, 6), Clock()
    left = TimeLeft(workers=2, clock=clock)
    assert seconds(left, search) is None
    said = []
    for turn in range(3):
        numbers = [search.asker.ask().number for _ in range(2)]
        for slot, number in enumerate(numbers):
            left.begun(slot, job(number, number))
        if turn:
            for ahead in (0.0, 4.0, 9.0):
                clock.now = 10.0 * turn + ahead
                assert seconds(left, search) == pytest.approx(30 - clock.now)
                said.append(seconds(left, search))
        clock.now = 10.0 * (turn + 1)
        for slot, number in enumerate(numbers):
            left.over(slot)
            search.study.tell(number, 0.5)
    assert seconds(left, search) == 0
    assert said == sorted(said, key=lambda one: -(one or 0.0))


def test_before_the_first_end_epochs_tell_and_before_those_earlier_runs(tmp_path: Path) -> None:
    search, clock = of_trials(tmp_path, 2), Clock()
    search.plan.config.epochs = 10
    left = TimeLeft(workers=1, clock=clock)
    number = search.asker.ask().number
    left.begun(0, job(number, number))
    assert seconds(left, search) is None
    clock.now = 6.0
    left.epoch_ended(0, Epoch(2, {}))
    assert seconds(left, search) == 2 * 30 - 6
    left.know(Before(run=50.0, epoch=5.0))
    assert seconds(left, search) == 2 * 50 - 6


@pytest.mark.parametrize("epochs", ["many", {"most": 3}, 2.5, None])
def test_another_apps_key_named_epochs_says_nothing(epochs: object, tmp_path: Path) -> None:
    search, clock = of_trials(tmp_path, 2), Clock()
    search.plan = replace(search.plan, config=OmegaConf.create({"epochs": epochs}), is_ours=False)
    left = TimeLeft(workers=1, clock=clock)
    number = search.asker.ask().number
    left.begun(0, job(number, number))
    clock.now = 6.0
    left.epoch_ended(0, Epoch(2, {}))
    assert seconds(left, search) is None


def test_confirmation_runs_and_a_timeout_count(tmp_path: Path) -> None:
    search, clock = of_trials(tmp_path, 1, confirm=3), Clock()
    left = TimeLeft(workers=1, clock=clock)
    left.know(Before(run=10.0, epoch=1.0))
    assert seconds(left, search) == 40
    search.time_left = lambda: 12.5
    assert seconds(left, search) == 12.5
    search.study.tell(search.asker.ask().number, 0.5)
    search.time_left = lambda: math.inf
    left.begun(0, job(7, None))
    assert seconds(left, search) == pytest.approx(30, rel=0.01)


def test_nothing_is_said_where_other_hosts_work_too(tmp_path: Path) -> None:
    search = of_trials(tmp_path, 4)
    left = TimeLeft()
    left.know(Before(run=10.0, epoch=1.0))
    assert seconds(left, search) == 40
    search.coordination.is_alone = False
    assert left.of([search]) is None


def test_of_paused_trials_the_leader_alone_may_take_longest(tmp_path: Path) -> None:
    search = searching(tmp_path, [PAUSED, PAUSED, PAUSED], budget=1)
    assert isinstance(search.asker, Asker)
    search.asker.wanted = 3
    search.time_left = lambda: math.inf
    left = TimeLeft(workers=3)
    left.know(Before(run=60.0, epoch=10.0))
    assert seconds(left, search) == 30  # three epochs each
    left.workers = 100
    assert seconds(left, search) == 30


@pytest.mark.parametrize("seed", range(6))
def test_at_most_holds_where_every_epoch_is_spent_and_workers_do_more_than_train(
    seed: int, tmp_path: Path
) -> None:
    draw, clock = Random(seed), Clock()
    trials = draw.randint(3, 6)
    search = searching(tmp_path, [PAUSED] * trials, budget="auto")
    assert isinstance(search.asker, Asker)
    search.asker.wanted = trials
    search.time_left = lambda: math.inf
    left = TimeLeft(workers=1, clock=clock)
    left.know(Before(run=1.0, epoch=0.1))
    before, epoch, after, apart = (draw.uniform(0.5, 5) for _ in range(4))
    for number in range(8):
        left.begun(0, job(number, number % trials))
        clock.now += before + epoch
        left.epoch_ended(0, Epoch(1, {"train_seconds": epoch}))
        clock.now += after
        left.over(0)
        clock.now += apart
    found = left.of([search])
    assert found is not None
    assert found.at_most
    spent = epochs_left(search.study, search.plan, trials)
    assert spent is not None
    assert found.seconds >= 0.9 * spent[0] * (before + epoch + after + apart)
    line = left.line([search])
    assert line is not None
    assert line.startswith("at most about ")
    assert " left at this pace: " in line


def test_confirmation_runs_at_work_count_until_they_end(tmp_path: Path) -> None:
    search, clock = searching(tmp_path, [PAUSED], budget=1), Clock()
    assert isinstance(search.asker, Asker)
    search.asker.wanted = 1
    search.time_left = lambda: math.inf
    left = TimeLeft(workers=1, clock=clock)
    left.know(Before(run=100.0, epoch=10.0))
    alone = seconds(left, search)
    left.begun(0, job(0, None))
    assert alone is not None
    assert seconds(left, search) == alone + 10.0 * search.plan.most_epochs


def test_lines_are_said_now_and_then(tmp_path: Path) -> None:
    search, clock = of_trials(tmp_path, 40), Clock()
    left = TimeLeft(workers=1, clock=clock)
    left.know(Before(run=10.0, epoch=1.0))
    said = []
    for _ in range(40):
        number = search.asker.ask().number
        left.begun(0, job(number, number))
        for _ in range(10):
            clock.now += 1.0
            if (line := left.line([search])) is not None:
                said.append(line)
        left.over(0)
        search.study.tell(number, 0.5)
    assert said[0] == "about 6 min 30 s left: 1 of 40 trials are over" or said[0].startswith(
        "about 6 min left: 1 of 40"
    )
    assert 4 <= len(said) <= 7
