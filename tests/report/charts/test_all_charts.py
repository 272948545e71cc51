"""Charts as data: what they show, that they say so, and that both libraries draw them."""

import json
import random
import re
import xml.etree.ElementTree as ET
from dataclasses import replace
from itertools import accumulate
from pathlib import Path

import pytest

from cnnsweep.report.answer.analysis import Answer, answer
from cnnsweep.report.charts.all_charts import every_chart, tried_sweeps
from cnnsweep.report.charts.chart_model import XY, Chart, Heat, Series
from cnnsweep.report.charts.hardest_images import hardest
from cnnsweep.report.charts.matplotlib_backend import as_picture
from cnnsweep.report.charts.pareto_front import pareto
from cnnsweep.report.charts.plotly_backend import as_plotly
from cnnsweep.report.read.load_runs import gather
from cnnsweep.report.stats.options import Question
from cnnsweep.report.stats.trial_table import wants_log
from cnnsweep.report.study.study_stats import StudyStats
from tests.report.made_runs import Job, make_run
from tests.report.made_sweeps import make_compare, make_sweep


@pytest.fixture(scope="module")
def told(mixed: Path) -> Answer:
    return answer(gather([mixed / "multirun"]), Question(by=("model",)))


@pytest.fixture(scope="module")
def charts(told: Answer) -> dict[str, Chart]:
    weights = {"optim.lr": 0.9, "optim.momentum": 0.1}
    facts = [(one, StudyStats(importances=weights)) for one in tried_sweeps(told)]
    return {c.slug: c for section in every_chart(told, facts) for c in section.charts}


def test_all_kinds_of_charts_are_there(charts: dict[str, Chart]) -> None:
    assert {
        "curves-accuracy", "curves-loss", "test_accuracy-parameters", "test_accuracy-train_seconds",
        "test_accuracy-images_per_second", "confusion-resnet", "history", "intermediate-resnet",
        "importance", "optim.lr-val_accuracy", "parallel-resnet", "contour-resnet",
    } <= {*charts}  # fmt: skip


COUNTS = {  # 15 runs of the grid, and of each search 5 that confirm, 9 completed and 2 pruned
    "curves": "25 runs: resnet 10, simple 10, lenet 5.",
    "test_accuracy": "25 runs, each a small point.",
    "confusion-lenet": "over 5 runs;",
    "confusion": "over 5 runs of the group's 10;",
    "best": "Mean over the searches (resnet 1, simple 1)",
    "reliability": "Images of all runs together: resnet 5, simple 5, lenet 5; bins with fewer",
    "history": "18 completed trials, 4 pruned, in 2 sweeps.",
    "intermediate": "One line a trial: 9 completed, 2 pruned.",
    "importance": "33 completed trials in 3 sweeps.",
    "parallel": "9 completed trials.",
    "contour": "from 9 completed trials (points).",
    "model": "one of 15 completed trials.",  # those of the grid
    "optim.lr": "one of 18 completed trials;",
    "optim.momentum": "one of 18 completed trials.",
    "data.batch_size": "one of 18 completed trials;",
}


def test_every_caption_counts_its_runs_or_trials(charts: dict[str, Chart]) -> None:
    for slug, chart in charts.items():
        counted = COUNTS[slug if slug in COUNTS else slug.partition("-")[0]]
        assert re.search(rf"(^|\s){re.escape(counted)}(\s|$)", chart.caption), chart.caption
    assert {slug.partition("-")[0] for slug in charts} == {key.partition("-")[0] for key in COUNTS}


def test_every_chart_is_json_for_plotly_and_a_picture(charts: dict[str, Chart]) -> None:
    for chart in charts.values():
        json.dumps(as_plotly(chart), allow_nan=False)
    for slug in ("curves-loss", "test_accuracy-parameters", "confusion-resnet", "importance",
                 "parallel-resnet", "contour-resnet", "history"):  # fmt: skip
        assert ET.fromstring(as_picture(charts[slug], "svg")).tag.endswith("svg")
    assert as_picture(charts["history"], "png").startswith(b"\x89PNG")


def test_no_picture_shows_a_formula_for_a_number(charts: dict[str, Chart]) -> None:
    for slug in ("optim.lr-val_accuracy", "test_accuracy-parameters", "contour-resnet"):
        assert b"mathdefault" not in as_picture(charts[slug], "svg")
    assert b">0.01<" in as_picture(charts["optim.lr-val_accuracy"], "svg")


def test_equal_charts_are_equal_files(charts: dict[str, Chart]) -> None:
    chart = charts["curves-accuracy"]
    assert as_picture(chart, "svg") == as_picture(chart, "svg")


def test_a_learning_curve_is_the_mean_of_its_runs(told: Answer, charts: dict[str, Chart]) -> None:
    chart = charts["curves-accuracy"]
    assert isinstance(chart, XY)
    line = next(s for s in chart.series if s.name == "lenet" and not s.dashed)
    (group,) = (g for g in told.grouping.groups if g.label == "lenet")
    last = [run.metrics["val_accuracy"][-1] or 0.0 for run in group.runs]
    assert line.y[-1] == pytest.approx(100 * sum(last) / len(last))
    assert line.x == [1, 2, 3, 4, 5]


def test_learning_rates_have_a_logarithmic_axis_and_momentum_none(
    charts: dict[str, Chart],
) -> None:
    rate, momentum = charts["optim.lr-val_accuracy"], charts["optim.momentum-val_accuracy"]
    assert isinstance(rate, XY)
    assert isinstance(momentum, XY)
    assert (rate.x_log, momentum.x_log) == (True, False)
    assert wants_log([32, 64, 128, 256])
    assert not wants_log([1, 2, 3, 4])
    assert not wants_log([0, 1, 1000])
    rng = random.Random(0)
    assert wants_log([10 ** rng.uniform(-4, 0) for _ in range(1000)])
    assert not wants_log([rng.uniform(0, 1) for _ in range(1000)])  # spans much by chance


def test_the_history_shows_pruned_trials_and_the_best_so_far(charts: dict[str, Chart]) -> None:
    chart = charts["history"]
    assert isinstance(chart, XY)
    crosses = [s for s in chart.series if s.cross]
    assert [list(s.x) for s in crosses] == [[4, 9], [4, 9]]
    lines = [s for s in chart.series if s.kind == "steps"]
    completed = [s for s in chart.series if s.kind == "points" and not s.cross]
    assert [line.name for line in lines] == ["resnet", "simple"]
    for line, trials in zip(lines, completed, strict=True):
        so_far = accumulate((value or 0.0 for value in trials.y), max)
        steps = dict(zip(numbers_of(line), line.y, strict=True))
        for number, best in zip(numbers_of(trials), so_far, strict=True):
            assert steps[max(x for x in steps if x <= number)] == best


def numbers_of(series: Series) -> list[float]:
    """Trial numbers, which stand on the x axis."""
    assert all(isinstance(x, int | float) for x in series.x)
    return [float(str(x)) for x in series.x]


def test_a_confusion_matrix_counts_the_images(told: Answer, charts: dict[str, Chart]) -> None:
    chart = charts["confusion-lenet"]
    assert isinstance(chart, Heat)
    assert chart.text is not None
    shown = sum(int(t) for row in chart.text for t in row if t)
    assert shown == pytest.approx(300, abs=20)  # means below a half are not written
    assert all(chart.z[i][i] is None for i in range(10))
    (hard,) = hardest(told)
    assert hard.images[0].wrong * 2 > hard.images[0].runs


def test_the_pareto_front_leaves_out_what_is_beaten_in_both() -> None:
    points = [(1.0, 0.5), (2.0, 0.9), (3.0, 0.8), (4.0, 0.95), (4.0, 0.7)]
    assert pareto(points, more_x=False, more_y=True) == [(1.0, 0.5), (2.0, 0.9), (4.0, 0.95)]
    assert pareto(points, more_x=True, more_y=True) == [(4.0, 0.95)]
    assert pareto(points, more_x=False, more_y=False) == [(1.0, 0.5)]


def _large_search(tmp_path: Path, trials: int) -> Answer:
    """A search in memory: many thousand folders would take long to make."""
    rng = random.Random(0)
    search = make_sweep(tmp_path / "sweep", trials=3, confirm=0)
    gathered = gather([search])
    first = gathered.runs[0]
    gathered.runs[:] = [
        replace(
            first,
            trial=number,
            status="pruned" if number % 5 == 4 else "completed",
            config=first.config | {"optim.lr": 10 ** rng.uniform(-4, 0), "l1": rng.random()},
            result=first.result | {"val_accuracy": rng.random()},
        )
        for number in range(trials)
    ]
    gathered.sweeps[0].runs[:] = gathered.runs
    return answer(gathered, Question())


def test_a_large_search_is_drawn_in_few_points_and_says_so(tmp_path: Path) -> None:
    found = _large_search(tmp_path, 5000)
    facts = [(one, StudyStats()) for one in tried_sweeps(found)]
    drawn = {c.slug: c for s in every_chart(found, facts) for c in s.charts}
    chart = drawn["optim.lr-val_accuracy"]
    assert isinstance(chart, XY)
    assert 30 <= len(chart.series[0].x) <= 40
    assert "in 40 steps of optim.lr: 4,000 completed trials" in chart.caption
    assert "drawn, evenly chosen" in drawn["intermediate-sweep"].caption
    assert "the best of neighbours" in drawn["history"].caption
    assert "the best of 4,000" in drawn["parallel-sweep"].caption
    assert len(json.dumps([as_plotly(c) for c in drawn.values()])) < 500_000


def test_runs_without_metrics_or_figures_make_no_charts_and_no_crash(tmp_path: Path) -> None:
    make_run(tmp_path / "0", Job(epochs=0, status="failed", error="boom"))
    make_run(tmp_path / "1", Job(epochs=1, status="unfinished"))
    found = answer(gather([tmp_path]), Question())
    assert every_chart(found, []) == []


def test_several_searches_of_one_choice_can_be_told_apart(tmp_path: Path) -> None:
    for choice in ("simple", "resnet"):
        for number in range(2):
            make_sweep(tmp_path / choice / f"search_{number}", choice, trials=6)
    make_compare(tmp_path / "before", ["resnet", "lenet"], trials=6)
    make_sweep(tmp_path / "before" / "more" / "resnet" / "search_1", "resnet", trials=6)
    told = answer(gather([tmp_path]), Question())
    labels = [one.label for one in tried_sweeps(told)]
    assert len({*labels}) == len(labels) == 7
    assert {"simple/search_0", "simple/search_1", "resnet/search_0", "resnet/search_1"} < {*labels}
    roles = {run.role for run in told.gathered.runs}
    assert roles == {"search", "confirm"}
    for run in told.gathered.runs:
        assert run.sweep is not None
        assert run.sweep.name.startswith("search_") or run.sweep.parent.name == "before"
