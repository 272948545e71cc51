"""Two one-sided tests are SciPy's, keep their level, and are corrected like the others."""

import math
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from cnnsweep.report.answer.analysis import Answer, answer
from cnnsweep.report.read.load_runs import gather
from cnnsweep.report.stats.options import Question
from cnnsweep.report.stats.significance import equivalence, holm, paired_t, welch_t
from tests.report.made_runs import Job, make_run


def report_on(folder: Path, **question: object) -> Answer:
    return answer(gather([folder]), Question(**question))  # type: ignore[arg-type]


def make_runs(folder: Path, figures: dict[str, list[float]]) -> None:
    for model, values in figures.items():
        for seed, value in enumerate(values):
            make_run(folder / f"{model}{seed}", Job(model, seed, accuracy=value))


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("n", [3, 5, 20])
def test_it_is_the_larger_of_scipys_one_sided_tests(seed: int, n: int) -> None:
    rng, margin = np.random.default_rng(seed), 0.4
    first, second = rng.normal(0.1, 1, n), rng.normal(0, 1, n)
    gaps = first - second
    above = stats.ttest_1samp(gaps, -margin, alternative="greater").pvalue
    below = stats.ttest_1samp(gaps, margin, alternative="less").pvalue
    found = equivalence(paired_t(first.tolist(), second.tolist()), margin)
    assert found == pytest.approx(max(above, below), rel=1e-10)


@pytest.mark.parametrize("seed", range(6))
def test_without_pairs_it_is_welchs(seed: int) -> None:
    rng, margin = np.random.default_rng(seed), 1.0
    first, second = rng.normal(0.1, 1, 6), rng.normal(0, 3, 9)
    above = stats.ttest_ind(first + margin, second, equal_var=False, alternative="greater").pvalue
    below = stats.ttest_ind(first - margin, second, equal_var=False, alternative="less").pvalue
    found = equivalence(welch_t(first.tolist(), second.tolist()), margin)
    assert found == pytest.approx(max(above, below), rel=1e-10)


@pytest.mark.parametrize("seed", range(30))
def test_it_is_below_five_percent_where_the_90_percent_interval_is_within(seed: int) -> None:
    rng = np.random.default_rng(seed)
    first, second = rng.normal(0, 0.3, 8), rng.normal(0, 0.3, 8)
    expected = stats.ttest_rel(first, second).confidence_interval(0.9)
    is_within = expected.low > -0.3 and expected.high < 0.3
    p = equivalence(paired_t(first.tolist(), second.tolist()), 0.3)
    assert p is not None
    assert (p < 0.05) == is_within


def test_networks_just_as_far_apart_as_the_margin_are_rarely_called_equivalent() -> None:
    rng, rounds = np.random.default_rng(0), 3000
    gaps = rng.normal(0.3, 0.1, (rounds, 5))
    found = [equivalence(paired_t(gap.tolist(), [0.0] * 5), 0.3) or 0.0 for gap in gaps]
    wrong = np.mean(np.array(found) < 0.05)
    assert wrong == pytest.approx(0.05, abs=3 * math.sqrt(0.05 * 0.95 / rounds))


def test_differences_that_do_not_vary_have_no_p_value() -> None:
    assert equivalence(paired_t([0.9, 0.8], [0.9, 0.8]), 0.1) is None


ALIKE = {
    "a": [0.9900, 0.9903, 0.9901, 0.9899], "b": [0.9901, 0.9900, 0.9903, 0.9898],
    "c": [0.9500, 0.9510, 0.9490, 0.9505],
}  # fmt: skip


def test_equivalence_is_said_only_where_a_margin_is_named(tmp_path: Path) -> None:
    make_runs(tmp_path, {name: ALIKE[name] for name in "ab"})
    (plain,) = report_on(tmp_path).verdicts
    assert "can't be told apart" in plain
    assert "equivalent" not in plain
    (told,) = report_on(tmp_path, margin=0.3).verdicts
    assert told.startswith("a and b are equivalent within 0.3 points (p ")
    assert "can't" not in told


def test_neither_apart_nor_equivalent_is_said_to_be_open(tmp_path: Path) -> None:
    make_runs(tmp_path, {"a": [0.99, 0.98, 0.991, 0.982], "b": [0.98, 0.989, 0.982, 0.990]})
    (told,) = report_on(tmp_path, margin=0.01).verdicts
    assert "a and b can't be told apart (" in told
    assert "nor are they shown to be equivalent within 0.01 points (p = " in told


def test_a_difference_within_the_margin_is_said_to_be_small(tmp_path: Path) -> None:
    make_runs(tmp_path, {name: ALIKE[name] for name in "ac"})
    (told,) = report_on(tmp_path, margin=10).verdicts
    assert told.startswith("a beats c by 4.00 ± ")
    assert told.endswith(", which is within 10 points.")


def test_a_margin_is_in_the_metrics_own_unit_where_that_is_no_accuracy(tmp_path: Path) -> None:
    make_runs(tmp_path, {name: ALIKE[name] for name in "ab"})
    (told,) = report_on(tmp_path, margin=0.01, metric="test_loss").verdicts
    assert "equivalent within 0.01 (p" in told


def test_the_p_values_are_corrected_over_all_pairs(tmp_path: Path) -> None:
    make_runs(tmp_path, ALIKE)
    pairs = report_on(tmp_path, margin=0.3).comparison.pairs
    plain = [equivalence(pair.difference, 0.003) for pair in pairs]
    assert len(pairs) == 3
    assert [pair.p_same for pair in pairs] == pytest.approx(holm([p or 0.0 for p in plain]))
    assert [pair.equivalent for pair in pairs] == [True, False, False]
