"""Seeds within searches: both variances, and the coverage of what is said of a new search."""

import itertools
import math
import random
import statistics

import numpy as np
import pytest
from scipy import special, stats

from cnnsweep.report.stats.intervals import pooled_variance
from cnnsweep.report.stats.nested import Chance, Nested, Standardised, chance, nested_of
from cnnsweep.report.stats.significance import paired_t, welch_t

SIZES = [(3, 3), (3, 5), (5, 3)]  # searches, seeds in each
BETWEEN = [(0, 0), (1, 1), (4, 4), (0, 4), (4, 0), (1, 4)]  # of A and B: times the variance within
SPREADS = [1.0, 3.0]  # of B's runs, in deviations of A's
TRUTHS = [0.5, 0.7, 0.9, 0.99]
Case = tuple[tuple[int, int], tuple[int, int], float, float]


def drawn(rng: np.random.Generator, mean: float, between: float, sd: float, size: tuple[int, int]):  # type: ignore[no-untyped-def]
    """Values by search: ``between`` is the searches' variance over that of seeds."""
    searches = rng.normal(mean, sd * math.sqrt(between), (size[0], 1))
    return (searches + rng.normal(0, sd, size)).tolist()


def made(rng: np.random.Generator, case: Case) -> tuple[Nested, Nested]:
    """Two networks of which the first beats the second with the case's probability."""
    size, (first, second), spread, truth = case
    total = math.sqrt((1 + first) + spread**2 * (1 + second))
    mean = float(special.ndtri(truth)) * total
    left = nested_of(drawn(rng, mean, first, 1.0, size))
    right = nested_of(drawn(rng, 0.0, second, spread, size))
    assert left is not None
    assert right is not None
    return left, right


def covered(case: Case, rounds: int, seed: int) -> float:
    rng = np.random.default_rng(seed)
    hits = 0
    for _ in range(rounds):
        found = chance(*made(rng, case), 1)
        assert found is not None
        hits += found.low <= case[3] <= found.high
    return hits / rounds


def covered_quickly(case: Case, rounds: int, seed: int) -> dict[float, float]:
    """The same for each of TRUTHS with the same draws, without looking for the ends.

    The truth lies between them where its place in the distribution is from 0.025 to 0.975.
    """
    rng = np.random.default_rng(seed)
    _, (first, second), spread, truth = case
    ends = special.ndtri(np.array(TRUTHS))
    total = math.sqrt((1 + first) + spread**2 * (1 + second))
    hits = np.zeros(len(TRUTHS))
    for _ in range(rounds):
        known = Standardised(*made(rng, case), 1)
        seen = known.difference
        for place, end in enumerate(ends):
            known.difference = seen + total * (end - special.ndtri(truth))
            hits[place] += 0.025 <= known.distribution(np.array([end]))[0] <= 0.975
    return dict(zip(TRUTHS, (hits / rounds).tolist(), strict=True))


def test_the_variances_are_those_of_a_one_way_analysis() -> None:
    values = drawn(np.random.default_rng(0), 0.9, 2.0, 0.01, (4, 6))
    nested = nested_of(values)
    assert nested is not None
    within = float(np.mean([np.var(own, ddof=1) for own in values]))
    f = stats.f_oneway(*values).statistic
    assert nested.within == pytest.approx(within)
    assert 6 * nested.of_means / within == pytest.approx(f)
    assert (nested.of_searches or 0) ** 2 == pytest.approx((f - 1) * within / 6)
    assert nested.deviation**2 == pytest.approx((f - 1) * within / 6 + within)


def test_deviations_are_without_bias_where_sizes_differ() -> None:
    rng, found = np.random.default_rng(0), []
    for _ in range(4000):
        lists = drawn(rng, 0.0, 2.0, 1.0, (4, 5))
        nested = nested_of([own[:size] for own, size in zip(lists, (2, 3, 5, 5), strict=True)])
        assert nested is not None
        assert nested.within is not None
        found.append((nested.within, nested.of_means + nested.inner))
    within, total = np.mean(found, axis=0)
    assert within == pytest.approx(1.0, rel=0.05)
    assert total == pytest.approx(3.0, rel=0.05)


def test_searches_of_one_seed_have_no_variance_within() -> None:
    nested = nested_of([[0.9], [0.8], [0.85]])
    assert nested is not None
    assert (nested.within, nested.of_searches, nested.of_seeds) == (None, None, None)
    assert nested.deviation == pytest.approx(0.05)


def test_one_search_is_no_several() -> None:
    assert nested_of([[0.9, 0.8]]) is None
    assert nested_of([]) is None


def test_values_that_do_not_vary_have_no_chance() -> None:
    same = Nested([0.9, 0.9, 0.9], 3, 0.0, 6)
    assert chance(same, same, 1) is None


@pytest.mark.parametrize("seed", range(20))
def test_the_interval_excludes_one_half_just_where_the_difference_is_significant(seed: int) -> None:
    rng = np.random.default_rng(seed)
    case = (SIZES[seed % 3], BETWEEN[seed % 6], SPREADS[seed % 2], (0.9, 0.99)[seed % 2])
    first, second = made(rng, case)
    found = chance(first, second, 1)
    assert found is not None
    p = welch_t(first.means, second.means).p or 1.0
    assert (not found.low <= 0.5 <= found.high) == (p < 0.05)
    assert found.low < found.value < found.high


@pytest.mark.parametrize("sign", [1, -1])
def test_it_is_the_other_ones_the_other_way_round(sign: int) -> None:
    first, second = made(np.random.default_rng(3), (SIZES[0], BETWEEN[1], 3.0, 0.7))
    ours, theirs = chance(first, second, sign), chance(second, first, sign)
    negated = chance(first, second, -sign)
    assert ours is not None
    assert theirs is not None
    for other in (theirs, negated):
        assert other is not None
        assert other.value == pytest.approx(1 - ours.value, abs=1e-3)
        assert (other.low, other.high) == pytest.approx((1 - ours.high, 1 - ours.low), abs=1e-3)


def test_with_many_searches_it_comes_near_the_truth() -> None:
    found = chance(*made(np.random.default_rng(0), ((2000, 3), (1, 4), 3.0, 0.9)), 1)
    assert found is not None
    assert found.value == pytest.approx(0.9, abs=0.02)
    assert found.high - found.low < 0.05


def test_the_same_runs_always_give_the_same_interval() -> None:
    case = (SIZES[1], BETWEEN[3], 1.0, 0.7)
    first, again = (chance(*made(np.random.default_rng(8), case), 1) for _ in range(2))
    assert isinstance(first, Chance)
    assert first == again


@pytest.mark.parametrize(
    "case",
    [
        ((3, 3), (0, 0), 1.0, 0.5), ((3, 3), (4, 4), 1.0, 0.9), ((3, 5), (0, 4), 3.0, 0.99),
        ((5, 3), (1, 1), 3.0, 0.7),
    ],
)  # fmt: skip
def test_the_interval_covers_a_known_probability(case: Case) -> None:
    """95 ± 2 of 100, and three standard errors of the simulation."""
    rounds = 400
    slack = 3 * math.sqrt(0.95 * 0.05 / rounds)
    assert 0.93 - slack <= covered(case, rounds, 1) <= 0.97 + slack


@pytest.mark.parametrize("case", [((3, 3), (0, 4), 3.0, 0.9), ((5, 3), (1, 1), 1.0, 0.5)])
def test_coverage_is_the_same_without_looking_for_the_ends(case: Case) -> None:
    assert covered_quickly(case, 200, 5)[case[3]] == covered(case, 200, 5)


def test_runs_taken_as_independent_would_not_cover() -> None:
    """What the intervals are for: with seeds alone they would promise far too much."""
    rng, rounds, hits = np.random.default_rng(0), 400, 0
    for _ in range(rounds):
        first, second = (drawn(rng, 0.0, 4.0, 1.0, (3, 3)) for _ in range(2))
        found = welch_t(*([v for own in lists for v in own] for lists in (first, second)))
        hits += abs(found.mean) <= (found.half_width or 0)
    assert hits / rounds < 0.85


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_the_interval_covers_everywhere() -> None:
    rounds = 10_000
    found: list[float] = []
    for number, (size, between, spread) in enumerate(itertools.product(SIZES, BETWEEN, SPREADS)):
        shares = covered_quickly((size, between, spread, 0.5), rounds, number)
        told = ", ".join(f"{truth:g}: {100 * share:.1f}" for truth, share in shares.items())
        print(f"{size} between {between} spread {spread:g}: {told}", flush=True)
        found += shares.values()
    print(f"{len(found)} cases: {100 * min(found):.1f} to {100 * max(found):.1f} %")
    slack = 3 * math.sqrt(0.95 * 0.05 / rounds)
    assert all(0.93 - slack <= share <= 0.97 + slack for share in found)


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_intervals_of_differences_of_searches_cover() -> None:
    """Welch's and the paired one, with seeds that move both networks alike (correlation 0.5)."""
    rng, rounds = np.random.default_rng(0), 10_000
    for size, between, alike in itertools.product(SIZES, BETWEEN, (0.0, 0.5)):
        hits = np.zeros(2)
        for _ in range(rounds):
            common = rng.normal(0, math.sqrt(alike), size)
            left, right = (
                np.asarray(drawn(rng, 0.0, b / (1 - alike), math.sqrt(1 - alike), size)) + common
                for b in between
            )
            means = left.mean(axis=1).tolist(), right.mean(axis=1).tolist()
            for kind, found in enumerate((welch_t(*means), paired_t(*means))):
                hits[kind] += abs(found.mean) <= (found.half_width or 0)
        welch, paired = 100 * hits / rounds
        print(f"{size} between {between} alike {alike}: Welch {welch:.1f} %, paired {paired:.1f} %")
        assert welch > 100 * (0.93 - 0.01)


@pytest.mark.parametrize("seed", range(20))
def test_the_variance_within_is_that_of_an_analysis_of_variance(seed: int) -> None:
    draw = random.Random(seed)
    groups = [[draw.gauss(k, 2) for _ in range(draw.randint(1, 5))] for k in range(4)]
    free = sum(len(group) - 1 for group in groups)
    within = [(len(g) - 1) * statistics.variance(g) for g in groups if len(g) > 1]
    found, freedom = pooled_variance(groups)
    assert freedom == free
    if free == 0:
        assert found is None
    else:
        assert found == pytest.approx(sum(within) / free)
