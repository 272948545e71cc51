"""By what runs are grouped without being told, and the best by validation of what one names."""

import itertools
from pathlib import Path

import pytest

from cnnsweep.errors import UserError
from cnnsweep.report.answer.analysis import Answer, answer
from cnnsweep.report.cli import parse
from cnnsweep.report.output.tables import group_tables
from cnnsweep.report.output.text_files import summary_csv
from cnnsweep.report.read.load_runs import gather
from cnnsweep.report.stats.options import Question
from tests.report.made_runs import Job, make_run
from tests.report.made_sweeps import make_sweep

RATES = (0.001, 0.01, 0.1)


def report_on(folder: Path, **question: object) -> Answer:
    return answer(gather([folder]), Question(**question))  # type: ignore[arg-type]


def make_runs(folder: Path, seeds: int = 3, test: dict[float, float] | None = None) -> None:
    """simple is best with 0.01; ``test`` replaces test accuracies by learning rate."""
    combinations = itertools.product(("simple", "resnet"), RATES, range(seeds))
    for number, (model, rate, seed) in enumerate(combinations):
        run = make_run(folder / f"{number}", Job(model, seed, changes={"optim.lr": rate}))
        if test:
            result = run / "result.json"
            text = result.read_text().splitlines()
            line = f'  "test_accuracy": {test[rate] + 0.0001 * seed},'
            lines = [line if '"test_accuracy"' in old else old for old in text]
            result.write_text("\n".join(lines))


@pytest.mark.parametrize("seeds", [1, 3])
@pytest.mark.parametrize("others", [(), ("optim.momentum",), ("optim.momentum", "l1")])
def test_no_group_mixes_settings_unless_asked_to(
    tmp_path: Path, seeds: int, others: tuple[str, ...]
) -> None:
    values = itertools.product(RATES[:2], *([0.0, 0.5] for _ in others), range(seeds))
    for number, (rate, *rest, seed) in enumerate(values):
        changes = {"optim.lr": rate, **dict(zip(others, rest, strict=True))}
        make_run(tmp_path / f"{number}", Job("simple", int(seed), changes=changes))
    found = report_on(tmp_path)
    assert set(found.question.by) == {"model", "optim.lr", *others}
    assert [(g.n, g.mixes) for g in found.grouping.groups] == [(seeds, [])] * 2 * 2 ** len(others)


def test_many_groups_are_all_kept_but_only_the_best_are_compared(tmp_path: Path) -> None:
    for number in range(20):
        changes = {"optim.lr": 0.01 * (number + 1)}
        make_run(tmp_path / f"{number}", Job("simple", changes=changes))
    found = report_on(tmp_path)
    assert len(found.grouping.groups) == 20
    assert len(found.comparison.pairs) == 12 * 11 // 2
    assert "Only the best 12 of 20 groups are compared in pairs." in found.notes


def test_of_very_many_groups_tables_show_the_best_and_the_csv_all(tmp_path: Path) -> None:
    for number in range(45):
        make_run(tmp_path / f"{number}", Job("simple", changes={"optim.lr": 0.001 * (number + 1)}))
    found = report_on(tmp_path)
    ((_, rows),) = group_tables(found)
    assert [row[0] for row in rows] == [group.label for group in found.grouping.groups[:40]]
    assert "Tables show the best 40 of 45 groups; summary.csv has all." in found.notes
    assert len(summary_csv(found).splitlines()) == 1 + 45


def test_trials_of_a_search_alone_stay_together(tmp_path: Path) -> None:
    make_sweep(tmp_path / "sweep", trials=8, confirm=0)
    found = report_on(tmp_path)
    assert found.question.by == ("model",)
    (group,) = found.grouping.groups
    assert group.n > 1


def test_the_best_is_chosen_by_validation_and_reported_by_test(tmp_path: Path) -> None:
    make_runs(tmp_path, test={0.001: 0.99, 0.01: 0.6, 0.1: 0.98})  # validation says 0.01
    found = report_on(tmp_path, best_of=("optim.lr",))
    assert [group.label for group in found.grouping.groups] == [
        "model=simple, optim.lr=0.01",
        "model=resnet, optim.lr=0.01",
    ]
    assert [group.mean for group in found.grouping.groups] == pytest.approx([0.6001, 0.6001])
    assert [group.n for group in found.grouping.groups] == [3, 3]
    note = next(note for note in found.notes if "best of up to 3 by mean val_accuracy" in note)
    assert note.endswith("too good for having been chosen by; test_accuracy is not.")


def test_a_validation_metric_that_chose_is_said_to_be_too_good(tmp_path: Path) -> None:
    make_runs(tmp_path)
    found = report_on(tmp_path, best_of=("optim.lr",), metric="val_accuracy")
    assert any("its val_accuracy is too good for having been chosen by" in n for n in found.notes)


def test_a_loss_is_chosen_by_the_smallest_validation_loss(tmp_path: Path) -> None:
    make_runs(tmp_path)
    found = report_on(tmp_path, best_of=("optim.lr",), metric="test_loss")
    assert {group.label.rpartition("=")[2] for group in found.grouping.groups} == {"0.01"}
    assert any("by mean val_loss" in note for note in found.notes)


def test_of_equal_ones_the_first_is_taken(tmp_path: Path) -> None:
    for number, rate in enumerate((0.1, 0.001)):
        job = Job("simple", changes={"optim.lr": rate}, accuracy=0.9)
        make_run(tmp_path / f"{number}", job)
    (group,) = report_on(tmp_path, best_of=("optim.lr",)).grouping.groups
    assert group.label == "model=simple, optim.lr=0.1"


def test_several_keys_are_chosen_together_and_by_overrides_the_others(tmp_path: Path) -> None:
    make_runs(tmp_path)
    found = report_on(tmp_path, best_of=("optim.lr", "model"))
    assert [group.label for group in found.grouping.groups] == ["optim.lr=0.01, model=resnet"]
    found = report_on(tmp_path, by=("seed",), best_of=("model",))
    assert {group.label for group in found.grouping.groups} == {
        f"seed={seed}, model=resnet" for seed in range(3)
    }


@pytest.mark.parametrize(
    ("key", "told"),
    [
        ("optim.lrr", r"unknown column in --best-of 'optim\.lrr'\. Did you mean 'optim\.lr'"),
        ("epochs", r"--best-of epochs: it is 5 in all runs, .*; these differ: model, optim\.lr"),
    ],
)
def test_a_key_that_cannot_be_chosen_is_refused(tmp_path: Path, key: str, told: str) -> None:
    make_runs(tmp_path)
    with pytest.raises(UserError, match=told):
        report_on(tmp_path, best_of=(key,))


def test_without_a_validation_metric_nothing_is_chosen(tmp_path: Path) -> None:
    make_runs(tmp_path)
    for result in tmp_path.glob("*/result.json"):
        lines = [line for line in result.read_text().splitlines() if '"val_acc' not in line]
        result.write_text("\n".join(lines))
        (result.parent / "metrics.csv").unlink()
    with pytest.raises(UserError, match=r"--best-of optim\.lr: .* by val_accuracy, which no run"):
        report_on(tmp_path, best_of=("optim.lr",))


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--by", "model,optim.lr", "--best-of", "optim.lr"], "--best-of optim.lr: it is in --by"),
        (["--best-of", "seed"], "--best-of seed: the mean is over seeds"),
        (["--best-of", " , "], "--best-of ' , ': a column is needed"),
        (["--margin", "0"], "--margin 0: allowed is a number above 0"),
        (["--margin", "-0.3"], "--margin -0.3: allowed is a number above 0"),
        (["--margin", "nan"], "--margin nan: allowed is a number above 0"),
        (["--margin", "inf"], "--margin inf: allowed is a number above 0"),
        (["--margin", "wide"], "argument --margin: invalid float value: 'wide'"),
    ],
)
def test_options_that_make_no_sense_are_one_line(words: list[str], told: str) -> None:
    with pytest.raises(UserError) as refused:
        parse(words)
    assert told in str(refused.value)
    assert "\n" not in str(refused.value)
