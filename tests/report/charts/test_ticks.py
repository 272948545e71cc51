"""Ticks: few, in order, within reach; names short and apart."""

import random

import pytest

from cnnsweep.report.charts.ticks import distinct, log_ticks, shortened, shown_number


@pytest.mark.parametrize("seed", range(20))
def test_any_positive_values_get_a_few_ticks_in_order(seed: int) -> None:
    rng = random.Random(seed)
    values = [10 ** rng.uniform(-12, 12 * rng.random()) for _ in range(rng.randrange(1, 50))]
    ticks = log_ticks([*values, None, 0, -1, "text", float("nan"), float("inf")])
    assert 1 <= len(ticks) <= 10
    assert ticks == sorted(set(ticks))
    assert len({shown_number(tick) for tick in ticks}) == len(ticks)
    assert ticks[0] >= min(values) / 10
    assert ticks[-1] <= max(values) * 10


def test_ticks_are_round() -> None:
    assert log_ticks([0.001, 0.1]) == [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1]
    assert log_ticks([1e-4, 1.0]) == [1e-4, 1e-3, 1e-2, 0.1, 1.0]
    assert [*map(shown_number, log_ticks([41_514, 421_642]))] == ["50,000", "100,000", "200,000"]
    assert log_ticks([0.31, 0.62]) == [0.4, 0.5, 0.6]
    assert log_ticks([0.31, 0.315]) == [0.31, 0.315]
    assert log_ticks([]) == log_ticks([0, -1]) == []


def test_names_are_short_and_apart() -> None:
    assert shortened("a" * 30 + "b" * 30, 9) == "aaaa…bbbb"
    assert shortened("short", 5) == "short"
    assert distinct(["x" * 50, "x" * 60, "y", "", "y"], 8) == [
        "0: xxxx…xxx", "1: xxxx…xxx", "2: y", "3: ", "4: y",
    ]  # fmt: skip
