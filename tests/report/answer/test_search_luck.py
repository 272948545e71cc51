"""What several searches tell stands on every surface, with both deviations."""

import csv
import io
from pathlib import Path

import pytest

from cnnsweep.report.answer.analysis import Answer, answer
from cnnsweep.report.answer.search_luck import search_luck_blocks
from cnnsweep.report.build import write_report
from cnnsweep.report.output.tables import PAIR_COLUMNS, pair_rows
from cnnsweep.report.output.text_files import summary_csv
from cnnsweep.report.read.load_runs import gather
from cnnsweep.report.stats.nested import chance
from cnnsweep.report.stats.options import Question
from tests.report.made_runs import make_grid
from tests.report.made_searches import make_comparison

VALUES = {
    "resnet": [[0.990, 0.991, 0.992], [0.985, 0.986, 0.987], [0.992, 0.993, 0.994]],
    "simple": [[0.960, 0.961, 0.964], [0.970, 0.971, 0.972], [0.965, 0.966, 0.967]],
    "lenet": [[0.961, 0.960, 0.962], [0.969, 0.971, 0.970]],
}


def report_on(folder: Path, **question: object) -> Answer:
    return answer(gather([folder]), Question(**question))  # type: ignore[arg-type]


def test_each_group_has_the_deviations_of_searches_and_seeds(tmp_path: Path) -> None:
    found = report_on(make_comparison(tmp_path, VALUES))
    block, *_ = search_luck_blocks(found.luck, found.metric)
    rows = [dict(zip(block.columns, row, strict=True)) for row in block.rows]
    assert [(row["group"], row["searches"], row["runs"]) for row in rows] == [
        ("resnet", "3", "9"),
        ("simple", "3", "9"),
        ("lenet", "2", "6"),
    ]
    assert rows[0]["sd of seeds"] == "0.10 points"
    assert rows[0]["sd of searches"] == "0.36 points"
    assert "±" in rows[0]["mean"]
    assert "±" not in rows[2]["mean"]  # two searches have no interval


def test_chances_are_of_pairs_with_three_searches_or_more(tmp_path: Path) -> None:
    found = report_on(make_comparison(tmp_path, VALUES))
    *_, block = search_luck_blocks(found.luck, found.metric)
    assert [row[0] for row in block.rows] == ["resnet – simple"]
    first, second = (group.nested for group in found.grouping.groups[:2])
    assert first is not None
    assert second is not None
    (pair,) = found.luck.pairs
    assert pair.chance == chance(first, second, 1)
    assert block.rows[0][-1].startswith("over 0.99 (")


def test_without_several_searches_there_is_neither(tmp_path: Path) -> None:
    make_grid(tmp_path, ["simple", "resnet"], range(3))
    found = report_on(tmp_path)
    assert [*search_luck_blocks(found.luck, found.metric)] == []


@pytest.mark.parametrize("metric", ["test_accuracy", "test_loss"])
def test_the_better_one_wins_whichever_way_is_better(tmp_path: Path, metric: str) -> None:
    found = report_on(make_comparison(tmp_path, VALUES), metric=metric)
    (pair,) = found.luck.pairs
    assert pair.better.label == "resnet"
    assert pair.chance is not None
    assert pair.chance.low > 0.5


def test_every_surface_has_them(tmp_path: Path) -> None:
    page, _ = write_report(make_comparison(tmp_path, VALUES))
    for name in ("index.html", "report.md"):
        text = (page.parent / name).read_text()
        assert "The luck of the search" in text, name
        assert "Searched anew, who wins" in text, name
    rows = list(csv.DictReader(io.StringIO((page.parent / "summary.csv").read_text())))
    assert [row["searches"] for row in rows] == ["3", "3", "2"]
    assert float(rows[0]["deviation_of_seeds"]) == pytest.approx(0.001)


def test_where_each_was_searched_once_the_summary_says_nothing_of_searches(tmp_path: Path) -> None:
    make_grid(tmp_path, ["simple"], range(3))
    (row,) = csv.DictReader(io.StringIO(summary_csv(report_on(tmp_path))))
    assert row["searches"] == row["deviation_of_seeds"] == ""


def test_pairs_tell_of_equivalence_where_a_margin_is_named(tmp_path: Path) -> None:
    make_comparison(tmp_path, VALUES)
    cell = PAIR_COLUMNS.index("p (Holm)")
    plain = pair_rows(report_on(tmp_path))[0]
    told = pair_rows(report_on(tmp_path, margin=5))[0]
    assert "equivalent" not in plain[cell]
    assert told[cell].startswith(f"{plain[cell]}; equivalent: p = ")
    assert "3 (Welch t over searches)" in told
