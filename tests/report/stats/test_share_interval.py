"""Intervals of differences between shares: the sources' figures, and coverage of a known truth."""

import itertools
import math

import pytest

from cnnsweep.report.stats.share_interval import Paired, newcombe, newcombe_paired


def test_intervals_are_those_of_the_source() -> None:
    """Newcombe 1998, table II, method 10: 56/70 - 48/80, 9/10 - 3/10, 10/10 - 0/10."""
    for (a, m), (b, n), expected in [
        ((56, 70), (48, 80), (0.0524, 0.3339)),
        ((9, 10), (3, 10), (0.1705, 0.8090)),
        ((10, 10), (0, 10), (0.6075, 1.0)),
    ]:
        found = newcombe((a / m, m), (b / n, n), 0.05)
        assert found == pytest.approx(expected, abs=1e-4)


def test_a_paired_interval_is_that_of_the_source() -> None:
    """Newcombe 1998, pages 2635 to 2650, method 10: 36 both, 12 and 2 either, none neither."""
    found = newcombe_paired(Paired(36, 12, 2, 0), 0.05)
    assert found == pytest.approx((0.0569, 0.3404), abs=1e-4)


def test_paired_intervals_of_tables_without_correlation_are_those_of_other_images() -> None:
    """With a margin of zero the correlation is taken as zero: the unpaired interval."""
    for counts in (Paired(36, 14, 0, 0), Paired(0, 50, 0, 0), Paired(50, 0, 0, 0)):
        n = counts.total
        first, second = (counts.both + counts.only_first) / n, (counts.both) / n
        assert newcombe_paired(counts, 0.05) == newcombe((first, n), (second, n), 0.05)


def test_a_paired_interval_turns_with_its_table() -> None:
    for cells in itertools.product((0, 1, 5, 40), repeat=4):
        if sum(cells) == 0:
            continue
        counts = Paired(*cells)
        low, high = newcombe_paired(counts, 0.05)
        turned = counts._replace(only_first=counts.only_second, only_second=counts.only_first)
        assert newcombe_paired(turned, 0.05) == pytest.approx((-high, -low), abs=1e-12)
        difference = (counts.only_first - counts.only_second) / counts.total
        assert -1 - 1e-9 <= low <= difference + 1e-9
        assert difference - 1e-9 <= high <= 1 + 1e-9


@pytest.mark.parametrize(
    "shares", [(0.85, 0.08, 0.04, 0.03), (0.97, 0.01, 0.01, 0.01), (0.3, 0.2, 0.2, 0.3)]
)
def test_a_paired_interval_covers_the_truth(shares: tuple[float, ...]) -> None:
    """4,000 drawn tables of 300 images each: the truth lies within in 95 % of them, or more."""
    import numpy as np

    truth = shares[1] - shares[2]
    drawn = np.random.default_rng(17).multinomial(300, shares, size=4000)
    hits = 0
    for cells in drawn.tolist():
        low, high = newcombe_paired(Paired(*cells), 0.05)
        hits += low <= truth <= high
    error = math.sqrt(0.95 * 0.05 / len(drawn))
    assert 0.95 - 4 * error <= hits / len(drawn) <= 0.985
