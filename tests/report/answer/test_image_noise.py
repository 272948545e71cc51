"""How far results move with other test images: as repeated draws of images say."""

import csv
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from cnnsweep.report.answer.analysis import Answer, answer
from cnnsweep.report.answer.image_noise import image_noise_blocks
from cnnsweep.report.read.load_runs import gather
from cnnsweep.report.stats.options import Question
from tests.report.made_runs import Job, make_run
from tests.report.made_searches import make_searches


def report_on(folder: Path, **question: object) -> Answer:
    return answer(gather([folder]), Question(**question))  # type: ignore[arg-type]


def make_runs(folder: Path, levels: dict[str, float], images: int, seeds: int = 3) -> None:
    for model, level in levels.items():
        for seed in range(seeds):
            job = Job(model, seed, accuracy=level + 0.0005 * seed, images=images)
            make_run(folder / f"{model}{seed}", job)


def right(folder: Path, names: list[str]) -> np.ndarray:
    """Images by runs: which run gets which right."""
    columns = []
    for name in names:
        with (folder / name / "test_predictions.csv").open(newline="") as file:
            columns.append([row["label"] == row["prediction"] for row in csv.DictReader(file)])
    return np.array(columns, dtype=float).T


def test_a_groups_noise_is_the_standard_error_of_its_mean_over_the_images(tmp_path: Path) -> None:
    make_runs(tmp_path, {"simple": 0.9}, images=400)
    (one,) = report_on(tmp_path).noise.groups
    share = right(tmp_path, ["simple0", "simple1", "simple2"]).mean(axis=1)
    assert one.of_images == pytest.approx(stats.sem(share))
    drawn = np.random.default_rng(0).choice(share, (4000, 400)).mean(axis=1).std()
    assert one.of_images == pytest.approx(drawn, rel=0.05)
    assert (one.runs, one.images) == (3, 400)


def test_a_pairs_noise_is_that_of_its_differences_by_image(tmp_path: Path) -> None:
    make_runs(tmp_path, {"simple": 0.9, "resnet": 0.95}, images=400)
    (one,) = report_on(tmp_path).noise.pairs
    names = [[f"{model}{seed}" for seed in range(3)] for model in ("resnet", "simple")]
    gaps = np.subtract(*(right(tmp_path, own).mean(axis=1) for own in names))
    assert one.of_images == pytest.approx(stats.sem(gaps))
    z = one.pair.difference.mean / stats.sem(gaps)
    assert one.p == pytest.approx(2 * stats.norm.sf(z))


def test_other_images_have_no_common_noise(tmp_path: Path) -> None:
    make_runs(tmp_path, {"simple": 0.9, "resnet": 0.95}, images=60)
    for run in tmp_path.glob("simple*"):
        path = run / "test_predictions.csv"
        path.write_text(path.read_text().replace("\n3,", "\n9999,"))
    noise = report_on(tmp_path).noise
    assert len(noise.groups) == 2
    assert noise.pairs == []


@pytest.mark.parametrize("metric", ["val_accuracy", "test_loss"])
def test_only_test_accuracy_has_it(tmp_path: Path, metric: str) -> None:
    make_runs(tmp_path, {"simple": 0.9}, images=60)
    found = report_on(tmp_path, metric=metric)
    assert image_noise_blocks(found.noise, found.metric) == []


def test_without_predictions_nothing_is_said(tmp_path: Path) -> None:
    make_runs(tmp_path, {"simple": 0.9}, images=0)
    found = report_on(tmp_path)
    assert image_noise_blocks(found.noise, found.metric) == []


def test_five_runs_of_a_group_are_read_each_search_in_its_turn(tmp_path: Path) -> None:
    make_searches(tmp_path, "resnet", [[0.9, 0.91, 0.92]] * 3, images=50)
    found = report_on(tmp_path)
    (one,) = found.noise.groups
    assert one.runs == 5
    for number, seeds in enumerate(((1000, 1001), (2000, 2001), (3000,))):
        for run in (tmp_path / f"search_{number}" / "confirm").iterdir():
            if int(run.name) not in seeds:
                (run / "test_predictions.csv").unlink()
    assert report_on(tmp_path).noise.groups[0].of_images == one.of_images


def test_the_spread_is_said_with_its_parts(tmp_path: Path) -> None:
    make_runs(tmp_path, {"simple": 0.9}, images=400)
    found = report_on(tmp_path)
    first, groups = image_noise_blocks(found.noise, found.metric)
    (sentence,) = first.sentences
    assert sentence.startswith("Of the spread of simple: seeds sd 0.05, 400 test images sd 1.")
    assert sentence.endswith(" points.")
    assert [len(row) for row in groups.rows] == [len(groups.columns)]


def test_a_difference_that_other_images_may_not_show_is_named(tmp_path: Path) -> None:
    for model, level in {"simple": 0.900, "resnet": 0.903}.items():
        for seed in range(4):
            job = Job(model, seed, accuracy=level + 0.0001 * (seed % 3), images=100)
            run = make_run(tmp_path / f"{model}{seed}", job)
            if model == "simple" and seed == 0:
                text = (run / "result.json").read_text()
                (run / "result.json").write_text(text.replace("0.898", "0.8981"))
    found = report_on(tmp_path)
    assert "resnet beats simple" in found.verdicts[0]
    sentences = image_noise_blocks(found.noise, found.metric)[0].sentences
    assert len(sentences) == 2
    assert "other test images may not show it" in sentences[1]
