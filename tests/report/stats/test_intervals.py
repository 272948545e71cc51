"""Intervals agree with SciPy and cover the truth as often as they say."""

import warnings

import numpy as np
import pytest
from scipy import stats

from cnnsweep.report.stats.intervals import bootstrap_interval, mean_deviation, t_interval


@pytest.mark.parametrize("n", [2, 3, 5, 30])
def test_the_t_interval_is_scipys(n: int) -> None:
    values = np.random.default_rng(n).normal(0.98, 0.01, n)
    expected = stats.t.interval(0.95, n - 1, values.mean(), stats.sem(values))
    assert t_interval(values.tolist()) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("n", [2, 3, 5, 10])
def test_t_intervals_cover_a_known_truth_in_95_of_100_cases(n: int) -> None:
    rng, rounds = np.random.default_rng(0), 4000
    samples = rng.normal(0.98, 0.004, (rounds, n))
    intervals = [t_interval(sample) for sample in samples.tolist()]
    covered = sum(low <= 0.98 <= high for low, high in filter(None, intervals))
    assert covered / rounds == pytest.approx(0.95, abs=3 * (0.95 * 0.05 / rounds) ** 0.5)


def test_bootstrap_intervals_cover_too_where_there_are_many_values() -> None:
    rng, rounds = np.random.default_rng(1), 120
    samples = rng.exponential(1.0, (rounds, 60))
    intervals = [bootstrap_interval(sample) for sample in samples.tolist()]
    covered = sum(low <= 1.0 <= high for low, high in filter(None, intervals))
    assert covered / rounds > 0.88  # 0.95, less three standard errors
    normal = [t_interval(sample) for sample in samples.tolist()]
    assert len([*filter(None, intervals)]) == len([*filter(None, normal)]) == rounds
    width, normal_width = (
        sum(high - low for low, high in filter(None, each)) / rounds for each in (intervals, normal)
    )
    assert width == pytest.approx(normal_width, rel=0.1)  # that of all numbers covers, too


def test_one_value_has_no_spread_and_equal_values_have_none_either() -> None:
    assert mean_deviation([0.5]) == (0.5, None)
    assert t_interval([0.5]) is None
    assert bootstrap_interval([0.5]) is None
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert bootstrap_interval([0.5, 0.5, 0.5]) == (0.5, 0.5)
        assert t_interval([0.5, 0.5, 0.5]) == (0.5, 0.5)
