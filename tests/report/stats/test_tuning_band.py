"""Tuning curves are Dodge's; their bands cover the true curves, which a known law gives exactly."""

import math
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pytest
from scipy import stats

from cnnsweep.report.stats.tuning_band import (
    Array,
    Band,
    Curve,
    Trials,
    over_seconds,
    over_trials,
)

KINDS: list[Curve] = ["expected", "median"]


def _dodge(values: Sequence[float], k: int) -> float:
    """Dodge et al. 2019, equation 3: the sum over distinct values of v · P(the best of k is v)."""
    n = len(values)
    total = 0.0
    for v in sorted(set(values)):
        below = sum(one < v for one in values) / n
        up_to = sum(one <= v for one in values) / n
        total += v * (up_to**k - below**k)
    return total


@pytest.mark.parametrize("seed", range(20))
def test_the_expected_best_is_dodges_closed_form_and_the_median_half_of_all_searches(
    seed: int,
) -> None:
    rng = random.Random(seed)
    n = rng.randrange(3, 40)
    values = [rng.randrange(0, 31) / 30 for _ in range(n)]  # many of them equal
    trials = Trials(values, [1.0] * n, maximize=True, is_share=True)
    ks = [k for k in (1, 2, 3, 5, 8, 13, n) if k <= n]
    expected, median = (over_trials(trials, curve, ks) for curve in KINDS)
    assert expected.point.tolist() == pytest.approx([_dodge(values, k) for k in ks])
    for k, value in zip(ks, median.point, strict=True):
        assert _best_is_at_most(values, value, k) >= 0.5 - 1e-9
        lower = [v for v in values if v < value]
        assert not lower or _best_is_at_most(values, max(lower), k) < 0.5 + 1e-9
    for band in (expected, median):
        assert (band.low <= band.point).all()
        assert (band.point <= band.high).all()
        assert (np.diff(band.low) >= -1e-12).all()
        assert (np.diff(band.high) >= -1e-12).all()


def _best_is_at_most(values: Sequence[float], bound: float, k: int) -> float:
    return (sum(value <= bound for value in values) / len(values)) ** k


def test_the_smallest_of_losses_mirrors_the_largest_of_accuracies() -> None:
    rng = random.Random(1)
    values, seconds = [rng.random() for _ in range(20)], [rng.uniform(1, 2) for _ in range(20)]
    up = Trials(values, seconds, maximize=True, is_share=False)
    down = Trials([-v for v in values], seconds, maximize=False, is_share=False)
    for over in (over_trials, over_seconds):
        best, least = over(up, "median"), over(down, "median")
        assert least.low.tolist() == pytest.approx((-best.high).tolist(), nan_ok=True)
        assert least.high.tolist() == pytest.approx((-best.low).tolist(), nan_ok=True)


def test_without_bounds_the_end_of_a_long_tuning_is_unknown() -> None:
    values = [random.Random(2).gauss(0, 1) for _ in range(12)]
    band = over_trials(Trials(values, [1.0] * 12, maximize=False, is_share=False), "median")
    assert band.low[-1] == -math.inf
    assert np.isfinite(band.high[-1])


@dataclass(frozen=True)
class Law:
    """What a trial comes to: a beta law, and a cost that goes with the value."""

    a: float = 5.0
    b: float = 2.0
    images: int | None = None  # of which a value is a share; None: any number
    spread: float = 0.5  # deviation of the logarithm of the cost
    tie: float = 0.5  # correlation of value and cost, of their normal scores

    def draw(self, n: int, rng: np.random.Generator) -> Trials:
        """``n`` independent trials."""
        z = rng.standard_normal((2, n))
        values = stats.beta.ppf(stats.norm.cdf(z[0]), self.a, self.b)
        if self.images is not None:
            values = np.round(values * self.images) / self.images
        score = self.tie * z[0] + math.sqrt(1 - self.tie**2) * z[1]
        return Trials(values.tolist(), np.exp(self.spread * score).tolist(), True, True)

    @property
    def mean_cost(self) -> float:
        """Of a trial, exactly."""
        return math.exp(self.spread**2 / 2)

    def true(self, curve: Curve, k: Array) -> Array:
        """The best of k trials, exactly (the expectation of any number by an integral)."""
        if curve == "median":
            at: Array = stats.beta.ppf(0.5 ** (1 / k), self.a, self.b)
            return at if self.images is None else np.round(at * self.images) / self.images
        if self.images is None:
            grid = np.linspace(0, 1, 20_001)
            above = [1 - stats.beta.cdf(grid, self.a, self.b) ** one for one in np.atleast_1d(k)]
            return np.array([np.trapezoid(one, grid) for one in above])
        # P(a rounded share is j of the images at most) = P(the share is below j and a half)
        steps = (np.arange(self.images) + 0.5) / self.images
        cdf = stats.beta.cdf(steps, self.a, self.b)
        exact: Array = (1 - cdf ** np.atleast_1d(k)[:, None]).sum(axis=1) / self.images
        return exact


Over = Callable[[Trials, Curve], Band]


def covered(
    law: Law,
    n: int,
    repeats: int,
    curve: Curve,
    over: Over,
    *,
    paid: bool = False,
    grid: Array | None = None,
) -> int:
    """In how many of the repeats the band holds the true curve at each of its budgets.

    Where the search has ``paid`` in seconds, truth is the best of as many trials as they pay for.
    """
    rng = np.random.default_rng(n)
    hits = 0
    grid = np.geomspace(0.2, 5 * n, 400) if grid is None else grid
    truth = law.true(curve, grid)
    for _ in range(repeats):
        band = over(law.draw(n, rng), curve)
        k = band.budget / (law.mean_cost if paid else 1)
        exact = np.interp(k, grid, truth) if law.images is None else law.true(curve, k)
        slack = 2e-4  # of the interpolation, the integral
        hits += bool(((band.low <= exact + slack) & (exact <= band.high + slack)).all())
    return hits


def _least(repeats: int) -> int:
    """Hits that a true 95 % band falls short of once in ten thousand tests."""
    return int(stats.binom.ppf(1e-4, repeats, 0.95))


def _bootstrap(trials: Trials, _: Curve) -> Band:
    """What papers used to print, and what does not cover: percentiles of resampled searches."""
    rng, n = np.random.default_rng(0), len(trials.values)
    k = np.geomspace(1, n, 60)
    tops = np.sort(rng.choice(trials.values, (200, n)), axis=1)
    weights = (np.arange(1, n + 1) / n) ** k[:, None] - (np.arange(n) / n) ** k[:, None]
    curves = tops @ weights.T
    return Band(k, *np.quantile(curves, [0.025, 0.5, 0.975], axis=0))


@pytest.mark.parametrize("curve", KINDS)
def test_the_band_over_trials_covers_the_whole_true_curve(curve: Curve) -> None:
    assert covered(Law(), 16, 200, curve, over_trials) >= _least(200)


def test_the_band_over_seconds_covers_the_whole_true_curve() -> None:
    assert covered(Law(), 16, 200, "expected", over_seconds, paid=True) >= _least(200)


def test_over_every_quantile_the_band_covers_neither_less_nor_more_than_it_says() -> None:
    every = [*np.geomspace(0.02, 500, 300)]  # beyond the trials at hand: all quantiles but a few

    def all_quantiles(trials: Trials, curve: Curve) -> Band:
        return over_trials(trials, curve, every)

    hits = covered(Law(), 16, 300, "median", all_quantiles, grid=np.array(every))
    assert _least(300) <= hits <= stats.binom.ppf(1 - 1e-4, 300, 0.95)


def test_a_bootstrap_would_fail_these_tests() -> None:
    assert covered(Law(), 16, 200, "expected", _bootstrap) < _least(200)


def test_a_band_is_not_wide_for_nothing() -> None:
    trials = Law().draw(64, np.random.default_rng(0))
    band = over_trials(trials, "expected")
    assert (band.high - band.low).max() < 0.25


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("n", [8, 24, 64, 128])
def test_coverage_at_length(n: int) -> None:
    repeats = 1000
    for law in (Law(), Law(20, 1.5), Law(images=30), Law(spread=1.0, tie=0.9)):
        for curve in KINDS:
            trials = covered(law, n, repeats, curve, over_trials)
            seconds = covered(law, n, repeats, curve, over_seconds, paid=True)
            print(f"n {n}, {law}, {curve}: {trials / repeats:.3f}, {seconds / repeats:.3f}")
            assert min(trials, seconds) >= _least(repeats)
