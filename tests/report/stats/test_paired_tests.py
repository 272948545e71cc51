"""p-values are SciPy's; corrections are the textbook's."""

import numpy as np
import pytest
from scipy import stats

from cnnsweep.report.stats.paired_tests import combine, holm, mcnemar_exact, paired_t, welch_t


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("n", [2, 3, 5, 40])
def test_the_paired_test_is_scipys(seed: int, n: int) -> None:
    rng = np.random.default_rng(seed)
    first, second = rng.normal(0.99, 0.01, n), rng.normal(0.98, 0.01, n)
    expected = stats.ttest_rel(first, second)
    difference = paired_t(first.tolist(), second.tolist())
    assert difference.p == pytest.approx(expected.pvalue, rel=1e-10)
    interval = expected.confidence_interval(0.95)
    assert difference.half_width == pytest.approx((interval.high - interval.low) / 2, rel=1e-10)
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
