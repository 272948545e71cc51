"""Seeds needed and the flattery of the best, against tables and simulation."""

import numpy as np
import pytest

from cnnsweep.report.stats.power import MOST_SEEDS, expected_maximum, seeds_needed


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
