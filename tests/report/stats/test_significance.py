"""Intervals and p-values are SciPy's, corrections the textbook's, seeds needed those of tables."""

import warnings

import numpy as np
import pytest
from scipy import stats

from cnnsweep.report.stats.intervals import bootstrap_interval, mean_deviation, t_interval
from cnnsweep.report.stats.significance import (
    MOST_SEEDS,
    combine,
    expected_maximum,
    holm,
    mcnemar_exact,
    mcnemar_of_seeds,
    paired_t,
    seeds_needed,
    welch_t,
)


@pytest.mark.parametrize("n", [3, 5, 30])
def test_the_t_interval_is_scipys(n: int) -> None:
    values = np.random.default_rng(n).normal(0.98, 0.01, n)
    expected = stats.t.interval(0.95, n - 1, values.mean(), stats.sem(values))
    assert t_interval(values.tolist()) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("n", [3, 5, 10])
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


@pytest.mark.parametrize("values", [[0.5], [0.5, 0.6]])
def test_fewer_than_three_values_have_no_interval(values: list[float]) -> None:
    assert t_interval(values) is None
    assert bootstrap_interval(values) is None


def test_one_value_has_no_spread_and_equal_values_have_none_either() -> None:
    assert mean_deviation([0.5]) == (0.5, None)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert bootstrap_interval([0.5, 0.5, 0.5]) == (0.5, 0.5)
        assert t_interval([0.5, 0.5, 0.5]) == (0.5, 0.5)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("n", [2, 3, 5, 40])
def test_the_paired_test_is_scipys(seed: int, n: int) -> None:
    rng = np.random.default_rng(seed)
    first, second = rng.normal(0.99, 0.01, n), rng.normal(0.98, 0.01, n)
    expected = stats.ttest_rel(first, second)
    difference = paired_t(first.tolist(), second.tolist())
    assert difference.p == pytest.approx(expected.pvalue, rel=1e-10)
    interval = expected.confidence_interval(0.95)
    half = None if n < 3 else pytest.approx((interval.high - interval.low) / 2, rel=1e-10)
    assert difference.half_width == half
    assert difference.mean == pytest.approx((first - second).mean())
    assert difference.effect == pytest.approx(
        (first - second).mean() / (first - second).std(ddof=1)
    )


@pytest.mark.parametrize("seed", range(5))
def test_welchs_test_is_scipys(seed: int) -> None:
    rng = np.random.default_rng(seed)
    first, second = rng.normal(0.99, 0.01, 4), rng.normal(0.98, 0.03, 9)
    expected = stats.ttest_ind(first, second, equal_var=False)
    difference = welch_t(first.tolist(), second.tolist())
    assert difference.p == pytest.approx(expected.pvalue, rel=1e-10)
    interval = expected.confidence_interval(0.95)
    assert difference.half_width == pytest.approx((interval.high - interval.low) / 2, rel=1e-10)


@pytest.mark.parametrize(("b", "c"), [(0, 0), (1, 0), (5, 5), (10, 3), (0, 12), (500, 430)])
def test_mcnemars_exact_test_is_the_binomial_test(b: int, c: int) -> None:
    expected = stats.binomtest(b, b + c, 0.5).pvalue if b + c else 1.0
    assert mcnemar_exact(b, c) == pytest.approx(expected, rel=1e-10)


def test_differences_that_do_not_vary_have_no_p_value() -> None:
    difference = paired_t([0.9, 0.8, 0.7], [0.8, 0.7, 0.6])
    assert (difference.p, difference.effect) == (None, None)
    assert paired_t([0.9], [0.8]).p is None
    assert welch_t([0.9, 0.9], [0.8, 0.8]).p is None


def test_holms_correction_is_that_of_his_paper() -> None:
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.5, 0.9]) == [1.0, 1.0]
    assert holm([]) == []


def test_holm_keeps_the_family_wise_error_under_five_percent() -> None:
    rng = np.random.default_rng(0)
    rounds = 1000
    wrong = 0
    for _ in range(rounds):
        groups = rng.normal(size=(4, 6))
        pairs = [(i, j) for i in range(4) for j in range(i)]
        found = [paired_t(groups[i].tolist(), groups[j].tolist()).p or 0.0 for i, j in pairs]
        wrong += min(holm(found)) < 0.05
    assert wrong / rounds < 0.05 + 3 * (0.05 * 0.95 / rounds) ** 0.5


def test_twice_the_median_is_valid_for_dependent_p_values() -> None:
    assert combine([0.03]) == 0.03
    assert combine([0.01, 0.02, 0.9]) == 0.04
    same = np.random.default_rng(0).uniform(size=2000)  # the extreme case: always equal
    assert np.mean([combine([p, p, p]) < 0.05 for p in same]) < 0.05


def test_seeds_that_contradict_each_other_prove_nothing_on_the_test_images() -> None:
    rng = np.random.default_rng(0)
    for _ in range(200):
        counts = [(int(a), int(b)) for a, b in rng.integers(0, 60, size=(rng.integers(1, 6), 2))]
        turned = [(b, a) for a, b in counts]
        assert mcnemar_of_seeds(counts) == mcnemar_of_seeds(turned)
        assert mcnemar_of_seeds(counts[:1]) == pytest.approx(mcnemar_exact(*counts[0]))
        alike = [counts[0]] * 3
        assert mcnemar_of_seeds(alike) >= mcnemar_of_seeds(counts[:1])
        assert mcnemar_of_seeds([*counts, *turned]) == 1.0
    assert mcnemar_of_seeds([(93, 45), (25, 32), (59, 91)]) > 0.5
    assert mcnemar_of_seeds([(93, 45), (88, 40), (91, 59)]) < 0.001


def test_a_combined_mcnemar_test_keeps_its_level_whatever_seeds_share() -> None:
    rng, rounds = np.random.default_rng(1), 2000
    wrong = 0
    for _ in range(rounds):
        first = rng.binomial(80, 0.5)
        counts = [(first, 80 - first)] * 2 + [(n, 80 - n) for n in rng.binomial(80, 0.5, 2)]
        wrong += mcnemar_of_seeds([(int(a), int(b)) for a, b in counts]) < 0.05
    assert wrong / rounds < 0.05


@pytest.mark.parametrize(("effect", "n"), [(0.2, 199), (0.5, 34), (0.8, 15), (1.0, 10), (2.0, 5)])
def test_seeds_needed_are_those_of_the_tables(effect: float, n: int) -> None:
    """Values of G*Power 3.1: paired t-test, two-sided, level 0.05, power 0.8."""
    assert seeds_needed(effect) == n
    assert seeds_needed(-effect) == n


def test_no_effect_and_tiny_effects_need_more_than_one_would_run() -> None:
    assert seeds_needed(0.0) is None
    assert seeds_needed(0.01) is None
    assert (seeds_needed(0.1) or 0) < MOST_SEEDS
    assert seeds_needed(1e6) == 2


@pytest.mark.parametrize(("n", "value"), [(1, 0), (2, 0.56419), (10, 1.53875), (100, 2.50759)])
def test_the_expected_maximum_is_that_of_the_tables(n: int, value: float) -> None:
    assert expected_maximum(n) == pytest.approx(value, abs=1e-4)


def test_the_best_of_many_equal_trials_is_flattered_by_just_that_much() -> None:
    noise = np.random.default_rng(0).normal(0, 0.002, (20_000, 20))
    assert noise.max(axis=1).mean() == pytest.approx(0.002 * expected_maximum(20), rel=0.01)


def test_runs_needed_come_from_the_difference_as_it_was_seen_not_from_hedges_g() -> None:
    first, second = [0.0, 1.0, 2.0], [0.5, 1.5, 2.5]
    found = welch_t(first, second)
    assert found.single == pytest.approx(-0.5 / 2**0.5)
    assert found.effect == pytest.approx(-0.5 * 0.8)
    assert paired_t(first, [0.4, 1.6, 2.5]).single == paired_t(first, [0.4, 1.6, 2.5]).effect
