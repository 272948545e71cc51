"""The sentences: who beats whom, who can't be told apart, who has too few seeds."""

from pathlib import Path

import pytest

from cnnsweep.errors import UserError
from cnnsweep.report.answer.analysis import Answer, answer
from cnnsweep.report.read.load_runs import gather
from cnnsweep.report.stats.options import Question
from tests.report.made_runs import Job, make_grid, make_run


def _answer(folder: Path, **question: object) -> Answer:
    return answer(gather([folder]), Question(**question))  # type: ignore[arg-type]


def _make(folder: Path, figures: dict[str, list[float]], **settings: int) -> None:
    for model, values in figures.items():
        for seed, value in enumerate(values):
            job = Job(model, seed, accuracy=value, images=settings.get("images", 0))
            make_run(folder / f"{model}{seed}", job)


def test_a_clear_difference_is_stated_with_its_interval_and_p(tmp_path: Path) -> None:
    _make(tmp_path, {"a": [0.99, 0.992, 0.991, 0.99], "b": [0.98, 0.981, 0.982, 0.98]})
    (sentence,) = _answer(tmp_path).verdicts
    assert sentence == "a beats b by 1.00 ± 0.13 points (p = 0.00015, 4 seeds each)."


def test_groups_may_be_impossible_to_tell_apart(tmp_path: Path) -> None:
    _make(tmp_path, {"a": [0.99, 0.98, 0.991, 0.982], "b": [0.98, 0.989, 0.982, 0.990]})
    (sentence,) = _answer(tmp_path).verdicts
    assert sentence == "a and b can't be told apart (p = 0.93, n = 4)."  # far beyond 1,000 seeds


def test_a_small_difference_says_how_many_seeds_would_show_it(tmp_path: Path) -> None:
    _make(tmp_path, {"a": [0.991, 0.993, 0.992, 0.99], "b": [0.99, 0.993, 0.989, 0.991]})
    (sentence,) = _answer(tmp_path).verdicts
    assert sentence.endswith("n = 4; about 43 seeds would show a difference of this size).")


def test_two_seeds_give_no_verdict_but_how_many_would(tmp_path: Path) -> None:
    _make(tmp_path, {"a": [0.991, 0.993], "b": [0.989, 0.990]})
    (sentence,) = _answer(tmp_path).verdicts
    assert sentence == (
        "a is 0.25 points ahead of b by test_accuracy, n = 2: no verdict; "
        "about 3 seeds would show a difference of this size."
    )


def test_one_seed_gives_no_verdict(tmp_path: Path) -> None:
    _make(tmp_path, {"a": [0.99], "b": [0.98]})
    (sentence,) = _answer(tmp_path).verdicts
    assert "n = 1: no verdict; 3 or more seeds are needed" in sentence


def test_many_pairs_with_too_few_seeds_are_one_clause(tmp_path: Path) -> None:
    _make(tmp_path, {name: [0.99 - 0.001 * i] for i, name in enumerate("abcdefgh")})
    (sentence,) = _answer(tmp_path).verdicts
    assert sentence == (
        "a leads with 98.80 %; n = 1 for 7 pairs: no verdict on them; "
        "3 or more seeds are needed to say anything."
    )


def test_equal_figures_are_no_crash_and_no_verdict(tmp_path: Path) -> None:
    _make(tmp_path, {"a": [0.99, 0.99, 0.99], "b": [0.99, 0.99, 0.99]})
    (sentence,) = _answer(tmp_path).verdicts
    assert "can't be told apart (no p-value: the differences do not vary" in sentence


def test_without_common_seeds_welchs_test_is_used_and_said(tmp_path: Path) -> None:
    make_grid(tmp_path / "a", ["resnet"], range(4))
    make_grid(tmp_path / "b", ["lenet"], range(10, 14))
    found = _answer(tmp_path)
    assert found.comparison.pairs[0].difference.kind == "Welch t"
    assert "resnet beats lenet by" in found.verdicts[0]


def test_a_baseline_is_the_only_partner_of_each_group(tmp_path: Path) -> None:
    make_grid(tmp_path, ["simple", "lenet", "resnet"], range(4))
    found = _answer(tmp_path, baseline="simple")
    assert [(p.better.label, p.worse.label) for p in found.comparison.pairs] == [
        ("resnet", "simple"),
        ("simple", "lenet"),
    ]
    with pytest.raises(
        UserError, match=r"unknown group in --baseline 'simpel'\. Did you mean 'sim"
    ):
        _answer(tmp_path, baseline="simpel")


def test_each_data_set_gets_its_own_sentence(mixed: Path) -> None:
    sentences = _answer(mixed).verdicts
    assert [sentence.partition(":")[0] for sentence in sentences] == ["data=digits", "data=mnist"]
    assert sentences[1].endswith("there is nothing to compare it with.")


def test_groups_by_data_are_shown_but_not_compared(mixed: Path) -> None:
    found = _answer(mixed, by=("data",))
    assert found.comparison.pairs == []
    assert "Groups by data saw different images: they are not compared." in found.notes


def test_holms_family_is_all_pairs(tmp_path: Path) -> None:
    make_grid(tmp_path, ["simple", "lenet", "resnet"], range(4))
    pairs = _answer(tmp_path).comparison.pairs
    smallest = min(pairs, key=lambda pair: pair.difference.p or 1.0)
    assert smallest.p_holm == pytest.approx(3 * (smallest.difference.p or 0.0))


def test_mcnemar_is_made_over_equal_images_only(tmp_path: Path) -> None:
    _make(tmp_path, {"a": [0.99, 0.98], "b": [0.7, 0.7]}, images=200)
    (pair,) = _answer(tmp_path).comparison.pairs
    assert pair.images is not None
    assert (pair.images.count, pair.images.seeds) == (200, 2)
    assert pair.images.p_holm < 1e-4
    for seed in (0, 1):
        path = tmp_path / f"b{seed}" / "test_predictions.csv"
        path.write_text(path.read_text().replace("\n3,", "\n9999,"))
    (pair,) = _answer(tmp_path).comparison.pairs
    assert pair.images is None


@pytest.mark.parametrize("content", ["", "x\n", "index,label,prediction,confidence\n1,a,2,3\n"])
def test_damaged_predictions_cost_a_line_and_the_image_test(tmp_path: Path, content: str) -> None:
    _make(tmp_path, {"a": [0.99], "b": [0.9]}, images=50)
    (tmp_path / "a0" / "test_predictions.csv").write_text(content)
    found = _answer(tmp_path)
    assert found.comparison.pairs[0].images is None
    (problem,) = found.gathered.problems
    assert problem.startswith(str(tmp_path / "a0" / "test_predictions.csv"))


def _make_grid(folder: Path, rates: list[float], seeds: int) -> None:
    for rate in rates:
        for model in ("simple", "resnet"):
            for seed in range(seeds):
                job = Job(model, seed, changes={"optim.lr": rate})
                make_run(folder / f"{model}{rate}{seed}", job)


def test_no_verdict_is_built_on_runs_that_never_learned(tmp_path: Path) -> None:
    for seed in range(4):
        make_run(tmp_path / f"a{seed}", Job("a", seed, learned=True))
        make_run(tmp_path / f"b{seed}", Job("b", seed, learned=seed > 0, accuracy=0.5))
        make_run(tmp_path / f"c{seed}", Job("c", seed, learned=True, accuracy=0.8 + 0.001 * seed))
    found = _answer(tmp_path)
    (sentence,) = found.verdicts
    assert sentence.startswith("a beats c by")
    assert sentence.endswith("b can't be compared: 1 of its 4 runs never learned (mean 49.80 %).")
    assert [(p.better.label, p.worse.label) for p in found.comparison.pairs] == [("a", "c")]
    assert {g.label: g.interval is None for g in found.grouping.groups} == {
        "a": False, "b": True, "c": False
    }  # fmt: skip


def test_where_one_group_learned_there_is_nothing_to_compare_it_with(tmp_path: Path) -> None:
    for seed in range(3):
        make_run(tmp_path / f"a{seed}", Job("a", seed, learned=True))
        make_run(tmp_path / f"b{seed}", Job("b", seed, learned=False, accuracy=0.1))
    (sentence,) = _answer(tmp_path).verdicts
    assert "a has test_accuracy" in sentence
    assert "there is nothing to compare it with; b can't be compared: 3 of its 3 runs" in sentence
    assert "beats" not in sentence
    assert "p =" not in sentence


def test_older_runs_are_judged_by_their_predictions(tmp_path: Path) -> None:
    for seed in range(3):
        make_run(tmp_path / f"a{seed}", Job("a", seed, images=300))
        make_run(tmp_path / f"b{seed}", Job("b", seed, images=300, accuracy=0.1))
        make_run(tmp_path / f"c{seed}", Job("c", seed, accuracy=0.1))
        path = tmp_path / f"b{seed}" / "test_predictions.csv"
        rows = path.read_text().splitlines()
        path.write_text("\n".join([rows[0], *(f"{r.rsplit(',', 2)[0]},7,0.9" for r in rows[1:])]))
    found = _answer(tmp_path)
    learned = {run.folder.name[0]: run.learned for run in found.runs}
    assert learned == {"a": True, "b": False, "c": None}
    assert "b can't be compared" in found.verdicts[0]
    assert "a beats c" in found.verdicts[0]  # unknown is not never


def test_a_grid_of_settings_with_seeds_is_grouped_by_settings(tmp_path: Path) -> None:
    _make_grid(tmp_path, [0.01, 0.1], seeds=5)
    found = _answer(tmp_path)
    assert found.question.by == ("model", "optim.lr")
    assert [group.n for group in found.grouping.groups] == [5, 5, 5, 5]
    assert all(group.interval for group in found.grouping.groups)
    assert "model=resnet, optim.lr=0.01 beats model=simple, optim.lr=0.01" in found.verdicts[0]


@pytest.mark.parametrize(("rates", "seeds"), [([0.01, 0.1], 1), ([10.0**-n for n in range(7)], 3)])
def test_a_mean_over_settings_has_no_interval_and_no_verdict(
    tmp_path: Path, rates: list[float], seeds: int
) -> None:
    _make_grid(tmp_path, rates, seeds)
    found = _answer(tmp_path, by=("model",))
    n = len(rates) * seeds
    assert [(g.n, g.settings, g.interval) for g in found.grouping.groups] == [
        (n, len(rates), None)
    ] * 2
    assert found.comparison.pairs == []
    assert (
        f"simple can't be compared: its n = {n} mixes {len(rates)} settings" in (found.verdicts[0])
    )


def test_a_baseline_may_be_the_one_group_with_a_value(tmp_path: Path) -> None:
    for seed in range(3):
        make_run(tmp_path / f"s{seed}", Job("simple", seed, accuracy=0.9 + 0.001 * seed))
        for lr in (0.1, 0.2):
            job = Job("resnet", seed, accuracy=0.95 + 0.002 * seed, changes={"optim.lr": lr})
            make_run(tmp_path / f"r{lr}{seed}", job)
    found = _answer(tmp_path, baseline="simple")
    assert len(found.comparison.pairs) == 2
    assert all("model=simple" in pair.worse.label for pair in found.comparison.pairs)
    with pytest.raises(UserError, match=r"resnet': 2 groups are that\. Allowed: model=resnet"):
        _answer(tmp_path, baseline="resnet")


def test_an_unknown_baseline_names_five_groups_at_most_the_nearest_first(tmp_path: Path) -> None:
    _make(tmp_path, {f"net{letter}": [0.9, 0.91] for letter in "abcdefgh"})
    with pytest.raises(UserError) as error:
        _answer(tmp_path, baseline="nethh")
    assert "Did you mean 'neth'? Allowed: neth; " in str(error.value)
    assert str(error.value).endswith(" and 3 more.")
    assert str(error.value).count(";") == 4
