"""The time that is left, by generated histories: never negative, falling, and right in the end."""

from itertools import pairwise
from random import Random

import pytest

from cnnsweep.sweep.estimate.remaining import (
    Pace,
    epochs_left_in_seconds,
    is_due,
    seconds_left,
)
from cnnsweep.sweep.estimate.simulate import Queue, makespan


@pytest.mark.parametrize("seed", range(40))
def test_of_equal_jobs_it_falls_by_the_seconds_that_pass_and_ends_at_zero(seed: int) -> None:
    draw = Random(seed)
    each, jobs, workers = draw.uniform(0.1, 100), draw.randint(1, 60), draw.randint(1, 9)
    whole = makespan([Queue([each] * jobs)], workers)
    assert seconds_left(each, [], jobs, workers) == pytest.approx(whole)
    before = whole
    for now in sorted(draw.uniform(0, whole) for _ in range(20)):
        done = int(now // each) * workers
        running = min(workers, max(0, jobs - done))
        left = seconds_left(each, [now % each] * running, max(0, jobs - done - running), workers)
        assert left == pytest.approx(whole - now)
        assert 0 <= left <= before
        before = left
    assert seconds_left(each, [], 0, workers) == 0


@pytest.mark.parametrize("seed", range(40))
def test_it_is_never_negative_and_no_less_than_a_fair_share_of_the_work(seed: int) -> None:
    draw = Random(seed)
    each, workers = draw.uniform(0.1, 50), draw.randint(1, 9)
    running = [draw.uniform(0, 3 * each) for _ in range(draw.randint(0, workers))]
    waiting = draw.randint(0, 200)
    left = seconds_left(each, running, waiting, workers)
    work = waiting * each + sum(max(0.0, each - taken) for taken in running)
    assert left >= 0
    assert work / workers <= left * (1 + 1e-9)
    assert left <= work / workers + each + 1e-9
    later = [taken + 1 for taken in running]
    assert seconds_left(each, later, waiting, workers) <= left + 1e-9


@pytest.mark.parametrize("seed", range(10))
def test_the_pace_of_late_follows_a_machine_that_gets_busier(seed: int) -> None:
    draw = Random(seed)
    pace, slower = Pace(draw.choice([None, 1.0, 100.0])), draw.uniform(2, 8)
    for _ in range(draw.randint(20, 200)):
        pace.add(draw.uniform(0.9, 1.1))
    for _ in range(60):
        pace.add(slower * draw.uniform(0.9, 1.1))
    assert pace.now() == pytest.approx(slower, rel=0.1)


@pytest.mark.parametrize("seed", range(10))
def test_pieces_that_take_long_count_before_they_end_and_never_make_it_faster(seed: int) -> None:
    draw, pace = Random(seed), Pace()
    for _ in range(draw.randint(1, 30)):
        pace.add(draw.uniform(5, 15))
    running = [draw.uniform(0, 200) for _ in range(4)]
    each = pace.now()
    assert each is not None
    found = pace.now(running)
    assert found is not None
    assert found >= each
    assert (found > each) == any(taken > each for taken in running)
    later = pace.now([taken + 50 for taken in running])
    assert later is not None
    assert later >= found


@pytest.mark.parametrize("before", [None, 1.0, 500.0])
def test_a_pace_comes_to_what_is_seen_whatever_was_thought_before(before: float | None) -> None:
    draw, pace = Random(1), Pace(before)
    assert pace.each == before
    errors = []
    for _ in range(400):
        pace.add(draw.uniform(8, 12))
        assert pace.each is not None
        errors.append(abs(pace.each - 10))
    assert errors[-1] < 1.5
    assert before is None or errors[-1] < abs(before - 10) / 100


def test_equal_jobs_make_the_pace_theirs_at_once() -> None:
    pace = Pace()
    for _ in range(3):
        pace.add(7.0)
        assert pace.each == 7.0


def test_epochs_of_one_trial_are_trained_one_after_the_other() -> None:
    assert epochs_left_in_seconds(2.0, epochs=40, alone=3, workers=4) == 20.0
    assert epochs_left_in_seconds(2.0, epochs=8, alone=8, workers=4) == 16.0
    assert epochs_left_in_seconds(2.0, epochs=0, alone=0, workers=4) == 0.0


def test_lines_come_seldom_and_hardly_near_the_end() -> None:
    said: list[float] = []
    whole = 3600.0
    for now in range(int(whole)):
        since = now - said[-1] if said else None
        if is_due(now, since, whole - now):
            said.append(now)
    assert said[0] == 20
    assert 8 < len(said) < 40
    assert all(after - before >= 60 for before, after in pairwise(said))
    assert sum(whole - now < 45 for now in said) <= 1
    assert not is_due(59.0, None, 44.0)


def test_lines_keep_coming_however_near_the_end_seems() -> None:
    said: list[int] = []
    for now in range(600):
        if is_due(now, now - said[-1] if said else None, 5.0):
            said.append(now)
    assert max(after - before for before, after in pairwise([0, *said, 600])) <= 61
