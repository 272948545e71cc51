"""Networks ranked: copies count once, one network's searches have one answer, budgets are told."""

import shutil
from pathlib import Path

from cnnsweep.report.answer.analysis import Answer, answer
from cnnsweep.report.read.load_runs import gather
from cnnsweep.report.stats.options import Question
from tests.report.made_searches import make_comparison

_VALUES = {
    "resnet": [[0.98, 0.981], [0.975, 0.977], [0.983, 0.982]],
    "lenet": [[0.96, 0.961], [0.97, 0.972], [0.966, 0.968]],
}


def _report_on(*folders: Path) -> Answer:
    return answer(gather([*folders]), Question())


def test_a_copy_of_a_comparison_changes_nothing(tmp_path: Path) -> None:
    folder = make_comparison(tmp_path / "a", _VALUES)
    (alone,) = _report_on(folder).rankings
    shutil.copytree(folder, tmp_path / "b")
    (both,) = _report_on(folder, tmp_path / "b").rankings
    assert [(one.name, one.values) for one in both.networks] == [
        (one.name, one.values) for one in alone.networks
    ]


def test_several_searches_of_one_network_have_one_answer(tmp_path: Path) -> None:
    found = _report_on(make_comparison(tmp_path / "a", {"resnet": _VALUES["resnet"]}))
    said = found.first.sentences[0]
    assert said.startswith("resnet, searched 3 times, has test_accuracy 97.77 ±")
    assert "(n = 3 searches" in said


def test_the_final_model_is_of_the_network_that_validation_chooses(tmp_path: Path) -> None:
    (ranking,) = _report_on(make_comparison(tmp_path / "a", _VALUES)).rankings
    sign = ranking.networks[0].winners[0].objective.sign()
    assert ranking.chosen.objective == max(sign * one.objective for one in ranking.networks)
