"""Confidence against being right is scikit-learn's curve; only the log loss is called so."""

import csv
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.calibration import calibration_curve
from sklearn.metrics import log_loss

from cnnsweep.report.answer.analysis import Answer, answer
from cnnsweep.report.answer.block import Block
from cnnsweep.report.answer.calibration import BINS, calibration_error, reliability
from cnnsweep.report.charts.all_charts import every_chart
from cnnsweep.report.charts.chart_model import XY
from cnnsweep.report.output.blocks import answer_blocks
from cnnsweep.report.read.load_runs import gather
from cnnsweep.report.stats.options import Question
from tests.report.made_runs import Job, make_run


@pytest.mark.parametrize("seed", range(20))
def test_the_curve_is_scikit_learns(seed: int) -> None:
    rng = np.random.default_rng(seed)
    n = int(rng.integers(1, 400))
    confidence = rng.beta(5, 1 + seed % 3, n)
    if seed % 4 == 0:
        confidence = np.round(confidence * BINS) / BINS  # on the edges of the bins
    right = rng.random(n) < confidence
    ours = reliability(confidence, right)
    accuracy, mean = calibration_curve(right.astype(int), confidence, n_bins=BINS, pos_label=1)
    assert ours[0].tolist() == pytest.approx(mean.tolist())
    assert ours[1].tolist() == pytest.approx(accuracy.tolist())
    assert ours[2].sum() == n


@pytest.mark.parametrize("seed", range(10))
def test_the_error_is_the_mean_over_the_images(seed: int) -> None:
    rng = np.random.default_rng(seed)
    confidence = rng.uniform(0.1, 1, 200)
    right = rng.random(200) < 0.7
    bins = np.ceil(confidence * BINS)  # the upper end belongs to a bin
    per_image = [
        abs(right[bins == b].mean() - confidence[bins == b].mean()) for b in bins
    ]  # fmt: skip
    assert calibration_error(*reliability(confidence, right)) == pytest.approx(np.mean(per_image))


def test_a_network_that_is_as_often_right_as_it_is_sure_has_no_error_and_a_boaster_has() -> None:
    rng = np.random.default_rng(0)
    confidence = rng.uniform(0.1, 1, 200_000)
    right = rng.random(200_000) < confidence
    assert calibration_error(*reliability(confidence, right)) < 0.01
    boast = reliability(np.full(1000, 0.99), np.arange(1000) < 690)
    assert calibration_error(*boast) == pytest.approx(0.30)


def _told(folder: Path) -> Answer:
    return answer(gather([folder]), Question())


def _block(found: Answer) -> Block | None:
    return next((b for b in answer_blocks(found) if b.title == "Calibration"), None)


def _make(folder: Path, model: str, seeds: int, changes: dict[str, Any] | None = None) -> None:
    for seed in range(seeds):
        job = Job(model, seed, images=400, changes=changes or {}, accuracy=0.9)
        make_run(folder / model / str(seed), job)


def test_each_group_has_a_row_and_a_line_over_a_few_of_its_runs(tmp_path: Path) -> None:
    _make(tmp_path, "lenet", 7)
    _make(tmp_path, "simple", 2)
    found = _told(tmp_path)
    block = _block(found)
    assert block is not None
    assert block.is_detail
    rows = {row[0]: row for row in block.rows}
    assert rows["lenet"][1] == "5 of 7"  # files are thousands of lines
    assert rows["simple"][1] == "2"
    assert "±" in rows["lenet"][3]
    assert "±" not in "".join(rows["simple"])  # two runs have no interval
    one = next(c for c in found.calibration if c.label == "simple")
    assert one.confidences == pytest.approx([0.9, 0.9])
    assert one.errors == pytest.approx([abs(0.9 - a) for a in one.accuracies])  # one bin
    assert rows["simple"][3] == f"{100 * np.mean(one.errors):.2f}"
    chart = {c.slug: c for s in every_chart(found, []) for c in s.charts}["reliability"]
    assert isinstance(chart, XY)
    lines = [s for s in chart.series if s.kind == "line"]
    assert {s.name for s in lines} == {"perfect", "lenet", "simple"}
    assert "lenet 5, simple 2" in chart.caption or "simple 2, lenet 5" in chart.caption


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"loss.label_smoothing": 0.1}, "CrossEntropyLoss label_smoothing=0.1"),
        ({"loss.weight": [1.0, 2.0]}, "CrossEntropyLoss with weights"),
        ({"loss._target_": "torch.nn.MultiMarginLoss"}, "MultiMarginLoss"),
    ],
)
def test_another_loss_is_not_called_the_log_loss(
    tmp_path: Path, changes: dict[str, Any], told: str
) -> None:
    _make(tmp_path, "lenet", 3, changes)
    block = _block(_told(tmp_path))
    assert block is not None
    assert block.rows[0][4] == "–"
    assert told in block.caption


def test_runs_of_several_settings_have_no_interval(tmp_path: Path) -> None:
    for number, rate in enumerate((0.003, 0.01, 0.03, 0.1)):
        job = Job("lenet", images=400, changes={"optim.lr": rate})
        make_run(tmp_path / str(number), job)
    found = answer(gather([tmp_path]), Question(by=("model",)))
    block = _block(found)
    assert block is not None
    assert block.rows[0][1] == "4"
    assert "±" not in "".join(block.rows[0])


def test_the_test_loss_of_plain_cross_entropy_is_the_log_loss(tmp_path: Path) -> None:
    _make(tmp_path, "lenet", 3)
    found = _told(tmp_path)
    block = _block(found)
    assert block is not None
    losses = [run.metric("test_loss") or 0.0 for run in found.runs]
    assert block.rows[0][4].startswith(f"{np.mean(losses):.4f} ±")
    assert "No log loss" not in block.caption


def test_the_log_loss_is_the_mean_negative_logarithm_as_scikit_learn_has_it() -> None:
    """What the loss in the config computes, which is what the table relies on."""
    torch = pytest.importorskip("torch")
    scores = torch.randn(50, 4, generator=torch.Generator().manual_seed(0))
    labels = torch.arange(50) % 4
    ours = float(torch.nn.CrossEntropyLoss()(scores, labels))
    probabilities = torch.softmax(scores.double(), dim=1).numpy()
    assert ours == pytest.approx(log_loss(labels.numpy(), probabilities), rel=1e-5)


def test_predictions_without_usable_confidences_have_no_block(tmp_path: Path) -> None:
    _make(tmp_path, "lenet", 3)
    for number, bad in enumerate(("1.5", "nan", "much")):
        path = tmp_path / "lenet" / str(number) / "test_predictions.csv"
        with path.open(newline="") as file:
            rows = list(csv.reader(file))
        rows[7][3] = bad
        with path.open("w", newline="") as file:
            csv.writer(file).writerows(rows)
    found = _told(tmp_path)
    assert found.calibration == []
    assert _block(found) is None
    assert found.gathered.problems == []  # labels and predictions are as good as ever
    assert found.files.get(found.runs[0]) is not None
