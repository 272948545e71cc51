"""What searches had of other sweeps is said wherever they are compared, and counts."""

import json
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from cnnsweep.report.answer.analysis import Answer, answer
from cnnsweep.report.build import write_files
from cnnsweep.report.charts.all_charts import every_chart
from cnnsweep.report.output.json_answer import as_json
from cnnsweep.report.read.given_trials import beforehand
from cnnsweep.report.read.load_runs import gather
from cnnsweep.report.stats.options import Question
from cnnsweep.report.study.study_stats import Studies
from tests.report.made_spaces import with_images, with_space
from tests.report.made_sweeps import make_sweep
from tests.report.nasty_text import NASTY

SCHEMA = json.loads((files("cnnsweep.report.output") / "report.schema.json").read_text("utf-8"))
OLD = "/elsewhere/multirun/old"
UNFAIR = "by compute, time or trials are not fair"


def search(folder: Path, more: Mapping[str, Any] | None = None, model: str = "resnet") -> Path:
    """A search with these further results."""
    sweep = make_sweep(folder, model, trials=4, confirm=0)
    path = sweep / "optimization_results.yaml"
    path.write_text(yaml.safe_dump(yaml.safe_load(path.read_text()) | dict(more or {})))
    return sweep


def told(folder: Path) -> Answer:
    found = answer(gather([folder]), Question())
    Draft202012Validator(SCHEMA).validate(as_json(found))
    return found


def unfair_parts(found: Answer) -> list[bool]:
    """Whether the first answer, each comparison by seconds, and each chart of one say it."""
    charts = [c for s in every_chart(found, []) for c in s.charts if c.slug.startswith("best-by")]
    return [
        any(UNFAIR in sentence for sentence in found.first.sentences),
        *(UNFAIR in one.unfair for one in found.equal_compute),
        *(UNFAIR in chart.caption for chart in charts),
    ]


@pytest.mark.parametrize(
    ("known", "is_unfair"),
    [
        (({}, {}), False),
        (({}, {OLD: 10}), True),
        (({OLD: 10}, {OLD: 9}), False),  # both knew it
        (({OLD: 10}, {"/elsewhere/other": 10}), True),
        (({OLD: 10}, {OLD: 10, "/elsewhere/other": 1}), True),
    ],
)
def test_a_comparison_is_fair_where_all_knew_the_same(
    known: tuple[dict[str, int], dict[str, int]], is_unfair: bool, tmp_path: Path
) -> None:
    for name, one, model in zip(("a", "b"), known, ("resnet", "simple"), strict=True):
        search(tmp_path / name, {"warm_start": one} if one else None, model)
    found = told(tmp_path)
    assert len(found.equal_compute) == 1
    assert unfair_parts(found) == [is_unfair] * 3
    first = " ".join(found.first.sentences)
    for name, one in zip(("a", "b"), known, strict=True):
        for place, number in one.items():
            trials = f"{number} trial{'' if number == 1 else 's'}"
            assert f"{trials} of {'/'.join(Path(place).parts[-2:])}" in first
        assert (f"/{name} knew" in first) == bool(one)


def test_every_file_that_is_written_says_it(tmp_path: Path) -> None:
    search(tmp_path / "cold", model="simple")
    search(tmp_path / "warm", {"warm_start": {str(tmp_path / "cold"): 4}})
    found, out = told(tmp_path), tmp_path / "out"
    write_files(found, out, ("md", "html", "tex", "json"), Studies([]))
    for name in ("report.md", "index.html", "report.tex", "report.json"):
        text = (out / name).read_text()
        assert UNFAIR in text, name
        assert "warm knew 4 trials" in text, name


@pytest.mark.parametrize("typed", ["multirun/old", ["multirun/old", "b"], None, 3])
def test_before_the_end_the_launch_tells_which_folders(typed: Any, tmp_path: Path) -> None:
    sweep = search(tmp_path / "s")
    (sweep / "optimization_results.yaml").unlink()
    path = sweep / "multirun.yaml"
    tree = yaml.safe_load(path.read_text())
    tree["hydra"]["sweeper"]["warm_start"] = typed
    path.write_text(yaml.safe_dump(tree))
    first = told(tmp_path).first.sentences
    folders = [typed] if isinstance(typed, str) else typed if isinstance(typed, list) else []
    assert [line for line in first if "Warm-started" in line] == (
        [
            "Warm-started: before its first trial "
            f"{tmp_path.name}/s knew {', '.join(f'the trials of {one}' for one in folders)}."
        ]
        if folders
        else []
    )


FOUND = {"points_of": 30}


def test_trials_that_points_were_chosen_among_count(tmp_path: Path) -> None:
    plain, given = search(tmp_path / "a"), search(tmp_path / "b", FOUND)
    for sweep in (plain, given):
        best = yaml.safe_load((sweep / "optimization_results.yaml").read_text())["best_trial"]
        with_space(sweep, default=(best + 1) % 4)
        with_images(sweep, 1000, 100)
    (alone,), (of_many,) = (told(folder).winners for folder in (plain, given))
    assert "the best of 4 trials, hence" in alone.sentence()
    said = "the best of 34 trials, 30 of them in the sweep that its point is from, hence"
    assert said in of_many.sentence()
    assert alone.against is not None
    assert alone.against.gain is not None
    assert of_many.against is not None
    assert of_many.against.gain is not None
    assert of_many.against.gain.number == alone.against.gain.number + 30
    assert of_many.against.gain.interval == alone.against.gain.interval
    narrow, wide = alone.against.gain.chosen, of_many.against.gain.chosen
    assert narrow is not None
    assert wide is not None
    assert wide[0] < narrow[0] < narrow[1] < wide[1]
    (written,) = as_json(told(given))["winners"]
    counts = {name: written[name] for name in ("tried", "points_of", "chosen_among")}
    assert counts == {"tried": 4, "chosen_among": 34} | FOUND


@pytest.mark.parametrize("trial", [5, None])
def test_a_better_trial_of_others_is_in_the_answer(trial: int | None, tmp_path: Path) -> None:
    folder = None if trial is not None else "/elsewhere/multirun/old/3"
    better = {"value": 0.995, "params": {"optim.lr": 0.5}, "trial": trial, "folder": folder}
    search(tmp_path / "s", {"better_elsewhere": better})
    found = told(tmp_path)
    (line,) = (one for one in found.first.sentences if " is better: " in one)
    assert ("trial 5 of its study, which cnnsweep did not run," in line) == (trial == 5)
    assert (f"({folder})" in line) == (trial is None)
    assert "val_accuracy 99.50 % with optim.lr=0.5; trial " in line
    assert as_json(found)["winners"][0]["better_elsewhere"] == better


NONE_OF_IT = {"warm_start": [1], "points_of": -3, "better_elsewhere": {"value": "x"}}


@pytest.mark.parametrize("text", [yaml.safe_dump(NONE_OF_IT), "- 1\n", "a: [\n", *NASTY[:4]])
def test_damaged_results_claim_nothing(text: str, tmp_path: Path) -> None:
    sweep = search(tmp_path / "s")
    (sweep / "optimization_results.yaml").write_text(text)
    (found,) = gather([tmp_path]).sweeps
    read = beforehand(found)
    assert (read.warm_start, read.points_of, read.better) == ({}, 0, None)
    told(tmp_path)
