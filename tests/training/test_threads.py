import random
from itertools import pairwise

import pytest
import torch

from cnnsweep.errors import UserError
from cnnsweep.training.threads import (
    TYPED_FOR_ALL,
    threads_typed_for_all,
    time_steps,
    use_threads,
    worthwhile,
)


@pytest.mark.parametrize(
    ("speeds", "number"),
    [
        ({1: 1.0, 2: 1.45}, 2),
        ({1: 1.0, 2: 1.19}, 1),
        ({1: 1.0, 2: 0.1}, 1),
        ({1: 1.0, 2: 1.6, 4: 1.9}, 2),  # the third and fourth add 0.15 each
        ({1: 1.0, 2: 1.9, 4: 3.0, 8: 3.9, 16: 4.1}, 8),
        ({1: 1.0, 2: 1.1, 4: 3.0}, 1),
        ({1: 1.0, 2: 1.9, 3: 2.05}, 2),
    ],
)
def test_a_thread_is_worth_it_that_adds_a_fifth_of_what_one_makes(
    speeds: dict[int, float], number: int
) -> None:
    seconds = {threads: [0.01 / speed] for threads, speed in speeds.items()}
    assert worthwhile(seconds, max(speeds)) == number


def test_whatever_is_timed_each_thread_taken_adds_a_fifth() -> None:
    draw = random.Random(0)
    for _ in range(500):
        numbers = [1, *sorted(draw.sample(range(2, 65), draw.randint(0, 6)))]
        speeds = {number: draw.uniform(0.2, 1.2) * number**0.9 for number in numbers}
        seconds = {number: [1 / speed] for number, speed in speeds.items()}
        chosen = worthwhile(seconds, numbers[-1])
        taken = numbers[: numbers.index(chosen) + 1]
        steps = list(pairwise(taken))
        assert all(speeds[b] - speeds[a] >= 0.2 * speeds[1] * (b - a) - 1e-9 for a, b in steps)
        assert speeds[chosen] >= speeds[1] - 1e-9


@pytest.mark.parametrize(
    ("alone", "two", "number"),
    [
        ([10, 11, 30], [6, 7, 25], 2),
        ([10, 11, 12], [6, 12, 40], 1),  # two seldom get their cores
        ([10, 20, 30], [9, 9, 9], 1),  # one would make as much if it were not disturbed
    ],
)
def test_steps_of_a_busy_machine_are_read_by_their_least_and_their_median(
    alone: list[float], two: list[float], number: int
) -> None:
    assert worthwhile({1: alone, 2: two}, 2) == number


def test_what_was_not_timed_gets_all_threads() -> None:
    assert worthwhile({}, 7) == 7


@pytest.mark.parametrize(
    ("helpful", "most", "number"), [(2, 4, 2), (8, 8, 8), (1, 4, 1), (3, 3, 3)]
)
def test_steps_are_timed_with_the_threads_they_run_on(
    helpful: int, most: int, number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = 0.0

    def step() -> None:  # shorter with each thread up to so many
        nonlocal clock
        clock += 0.016 / min(torch.get_num_threads(), helpful)

    monkeypatch.setattr("cnnsweep.training.threads.perf_counter", lambda: clock)
    before = torch.get_num_threads()
    try:
        seconds = time_steps(step, most)
    finally:
        use_threads(before)
    assert next(iter(seconds)) == 1
    assert list(seconds)[-1] == most
    assert worthwhile(seconds, most) == number


@pytest.mark.parametrize(
    ("text", "number"),
    [(None, None), ("", None), ("3", 3), (" 4 ", 4), ("2,1", 2), ("0", None), ("many", None)],
)
def test_a_number_for_all_programs_is_read(
    monkeypatch: pytest.MonkeyPatch, text: str | None, number: int | None
) -> None:
    monkeypatch.delenv(TYPED_FOR_ALL, raising=False)
    if text is not None:
        monkeypatch.setenv(TYPED_FOR_ALL, text)
    assert threads_typed_for_all() == number


@pytest.mark.parametrize("text", ["100000", "99999999999999999999,2"])
def test_a_number_that_no_machine_has_is_refused(
    monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    monkeypatch.setenv(TYPED_FOR_ALL, text)
    with pytest.raises(UserError, match=f"OMP_NUM_THREADS={text[:6]}.* up to 1024$"):
        threads_typed_for_all()
