"""Confirmation runs of several searches are one group: seeds within searches."""

from pathlib import Path

import pytest

from cnnsweep.report.answer.analysis import Answer, answer
from cnnsweep.report.output.tables import PLUS_MINUS
from cnnsweep.report.read.load_runs import gather
from cnnsweep.report.stats.options import Question
from tests.report.made_runs import Job, make_run
from tests.report.made_searches import make_comparison, make_searches

A = [[0.990, 0.991, 0.992], [0.985, 0.986, 0.987], [0.992, 0.993, 0.994]]
B = [[0.960, 0.961, 0.964], [0.970, 0.971, 0.972], [0.965, 0.966, 0.967]]


def report_on(folder: Path, **question: object) -> Answer:
    return answer(gather([folder]), Question(**question))  # type: ignore[arg-type]


def test_searches_of_a_choice_are_one_group_without_mixed_settings(tmp_path: Path) -> None:
    found = report_on(make_comparison(tmp_path, {"resnet": A, "simple": B}))
    assert found.question.by == ("model",)
    assert [(g.label, g.n, g.mixes) for g in found.grouping.groups] == [
        ("resnet", 9, []),
        ("simple", 9, []),
    ]
    (resnet, simple) = (group.nested for group in found.grouping.groups)
    assert resnet is not None
    assert simple is not None
    assert resnet.searches == simple.searches == 3
    assert resnet.means == pytest.approx([0.989, 0.984, 0.991])  # test is 0.002 below
    assert resnet.of_seeds == pytest.approx(0.001)


def test_the_interval_is_over_searches_not_over_runs(tmp_path: Path) -> None:
    make_searches(tmp_path, "resnet", A)
    (group,) = report_on(tmp_path).grouping.groups
    assert group.half_width == pytest.approx(4.3027 * 0.0036056 / 3**0.5, rel=1e-3)
    assert group.interval is not None


def test_two_searches_have_no_interval_and_get_no_verdict(tmp_path: Path) -> None:
    found = report_on(make_comparison(tmp_path, {"resnet": A[:2], "simple": B[:2]}))
    assert [group.half_width for group in found.grouping.groups] == [None, None]
    (sentence,) = found.verdicts
    assert "n = 2 searches: no verdict; about " in sentence
    assert sentence.endswith(" searches would show a difference of this size.")


@pytest.mark.parametrize("choice", ["", "resnet"])
def test_a_grid_beside_searches_is_a_group_of_its_own(tmp_path: Path, choice: str) -> None:
    make_searches(tmp_path / "sweep" / choice, "resnet", A)
    for seed in range(3):
        make_run(tmp_path / f"grid{seed}", Job("resnet", seed, accuracy=0.98))
    groups = report_on(tmp_path).grouping.groups
    assert {group.label: group.n for group in groups} == {
        "model=resnet, optim.lr=tuned, optim.momentum=tuned": 9,
        "model=resnet, optim.lr=0.01, optim.momentum=0.9": 3,
    }
    assert all(group.is_sound for group in groups)


def test_keys_that_are_asked_for_keep_their_values(tmp_path: Path) -> None:
    make_searches(tmp_path, "resnet", A)
    groups = report_on(tmp_path, by=("optim.lr",)).grouping.groups
    assert {group.label for group in groups} == {"0.01", "0.03", "0.1"}
    assert [group.nested for group in groups] == [None] * 3


def test_what_a_search_tunes_of_the_data_keeps_its_runs_together(tmp_path: Path) -> None:
    for number, shift in enumerate((0, 1, 2)):
        folder = make_searches(tmp_path / f"{number}", "resnet", A[:1]) / "search_0"
        folder.rename(tmp_path / f"search_{number}")
        for config in tmp_path.glob(f"search_{number}/**/config.yaml"):
            text = config.read_text()
            config.write_text(text.replace("data:\n", f"data:\n  augment: {shift}\n"))
    (group,) = report_on(tmp_path).grouping.groups
    assert group.stratum == ""
    assert group.nested is not None


def test_a_search_with_one_number_alone_is_like_any_search(tmp_path: Path) -> None:
    make_comparison(tmp_path, {"resnet": A[:1], "simple": B[:1]})
    found = report_on(tmp_path)
    assert [group.nested for group in found.grouping.groups] == [None, None]
    assert "3 seeds each" in found.verdicts[0]
    assert found.verdicts[0].endswith("(hydra.sweeper.searches=3 measures that).")


def test_three_searches_against_one_get_no_verdict(tmp_path: Path) -> None:
    found = report_on(make_comparison(tmp_path, {"resnet": A, "simple": B[:1]}))
    assert "n = 1 search: no verdict" in found.verdicts[0]


def test_three_searches_are_compared_with_both_variances(tmp_path: Path) -> None:
    found = report_on(make_comparison(tmp_path, {"resnet": A, "simple": B}))
    (sentence,) = found.verdicts
    assert sentence.startswith("resnet beats simple by 2.38 ± ")
    assert "3 searches each); searched anew, resnet wins with probability" in sentence
    (pair,) = found.comparison.pairs
    assert pair.difference.kind == "Welch t over searches"


def test_a_single_choice_tells_both_deviations(tmp_path: Path) -> None:
    make_searches(tmp_path, "resnet", A)
    (sentence,) = report_on(tmp_path).verdicts
    assert "(n = 9: 3 searches; between them sd 0.36, seeds sd 0.10 points)" in sentence


@pytest.mark.parametrize("key", ["by", "best_of"])
def test_groups_by_what_searches_tuned_are_not_networks_searched_once(
    tmp_path: Path, key: str
) -> None:
    make_searches(tmp_path, "resnet", A)
    (sentence,) = report_on(tmp_path, **{key: ("optim.lr",)}).verdicts
    assert "searched once" not in sentence


def test_pairs_of_searches_and_of_seeds_are_counted_in_their_own_units(tmp_path: Path) -> None:
    make_searches(tmp_path / "sweep" / "resnet", "resnet", [A[0], A[0], A[1]])
    for seed, accuracy in enumerate((0.992, 0.986, 0.991)):
        make_run(tmp_path / f"grid{seed}", Job("lenet", seed, accuracy=accuracy))
        make_run(tmp_path / f"other{seed}", Job("alexnet", seed, accuracy=accuracy - 0.0001 * seed))
    (sentence,) = report_on(tmp_path, by=("model",), baseline="lenet").verdicts
    assert "n = 3 searches each" in sentence
    assert "n = 3 seeds each" in sentence


def test_tables_say_whose_deviation_that_of_several_searches_is() -> None:
    assert "of a run with a new seed after a new search" in PLUS_MINUS
