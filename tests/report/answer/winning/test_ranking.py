"""Networks are ranked by what their searches' confirmation runs reached, or by the best trials."""

import shutil
from collections.abc import Sequence
from pathlib import Path
from statistics import fmean

import pytest

from cnnsweep.report.answer.analysis import answer
from cnnsweep.report.answer.winning.ranking import Ranking
from cnnsweep.report.read.load_runs import gather
from cnnsweep.report.stats.options import Question
from tests.report.made_searches import make_comparison

VALUES = {
    "simple": [[0.90, 0.91, 0.92], [0.93, 0.94, 0.95], [0.96, 0.97, 0.98]],
    "lenet": [[0.80, 0.81, 0.82], [0.83, 0.84, 0.85], [0.86, 0.87, 0.88]],
}


def _ranking(top: Path) -> Ranking:
    (ranking,) = answer(gather([top]), Question()).rankings
    return ranking


def _unconfirmed(top: Path, searches: Sequence[str]) -> Path:
    make_comparison(top, VALUES)
    for search in searches:
        shutil.rmtree(top / search / "confirm")
    return top


def test_one_unconfirmed_search_is_named_and_the_others_test_values_are_kept(
    tmp_path: Path,
) -> None:
    ranking = _ranking(_unconfirmed(tmp_path / "c", ["simple/search_2"]))
    assert ranking.is_tested
    first, second = ranking.networks
    assert (first.name, second.name) == ("simple", "lenet")
    assert sorted(first.values) == pytest.approx([0.908, 0.938])  # less by 0.002 on the test split
    assert sorted(second.values) == pytest.approx([0.808, 0.838, 0.868])
    assert first.winners[0].test  # the settings that are named were tested
    said = ranking.sentence()
    assert "with test_accuracy 92.30 % (n = 2 searches)" in said
    assert said.endswith("no confirmation run has tested their winners: simple/search_2.")
    assert "no confirmation run" not in _ranking(_unconfirmed(tmp_path / "d", [])).sentence()


def test_a_network_without_any_tested_search_leaves_the_best_trials(tmp_path: Path) -> None:
    ranking = _ranking(_unconfirmed(tmp_path / "c", [f"simple/search_{k}" for k in range(3)]))
    assert not ranking.is_tested
    for one in ranking.networks:
        assert one.values == [winner.best for winner in one.winners]


def test_a_mean_of_several_searches_best_values_is_called_that(tmp_path: Path) -> None:
    every = [f"{model}/search_{k}" for model in VALUES for k in range(3)]
    ranking = _ranking(_unconfirmed(tmp_path / "c", every))
    said, first = ranking.sentence(), ranking.networks[0]
    assert f"with val_accuracy {100 * fmean(first.values):.2f} %, the mean of 3 searches" in said
    assert "of each the best of 2 trials and chosen by it, hence optimistic" in said


@pytest.mark.parametrize(("searches", "heading"), [([], "mean"), (range(3), "best")])
def test_the_column_of_values_says_what_they_are(
    searches: Sequence[int], heading: str, tmp_path: Path
) -> None:
    block = _ranking(_unconfirmed(tmp_path / "c", [f"simple/search_{k}" for k in searches])).block()
    assert [name for name in block.columns if name in ("mean", "best")] == [heading]
    assert all(len(row) == len(block.columns) for row in block.rows)
    assert block.rows[0][list(block.columns).index(heading)].endswith(" %")
