"""The best so far by seconds: in the order in which the time was spent, and who leads when."""

import math
import random
from pathlib import Path

import numpy as np
import pytest

from cnnsweep.report.answer.curves.courses import (
    Contender,
    Course,
    course,
    course_of_search,
    race,
)
from cnnsweep.report.read.run_record import Run
from cnnsweep.report.stats.metric import Metric

ACCURACY = Metric("val_accuracy", maximize=True, percent=True)
LOSS = Metric("val_loss", maximize=False, percent=False)


@pytest.mark.parametrize("seed", range(20))
def test_a_course_is_the_best_of_all_epochs_until_then(seed: int) -> None:
    rng = random.Random(seed)
    metric = rng.choice([ACCURACY, LOSS])
    best = max if metric.maximize else min
    epochs = [
        (rng.uniform(0.1, 2), None if rng.random() < 0.2 else rng.random()) for _ in range(30)
    ]
    found = course(epochs, metric)
    assert found is not None
    budgets = [rng.uniform(0, 40) for _ in range(50)]
    for budget, value in zip(budgets, found.at(np.array(budgets)), strict=True):
        spent, known = 0.0, []
        for seconds, one in epochs:
            spent += seconds
            if spent <= budget and one is not None:
                known.append(one)
        assert (value == best(known)) if known else math.isnan(value)


def _run(folder: Path, trial: int, values: list[float], ends: list[int]) -> Run:
    folder.mkdir()
    lines = [
        f"[2026-05-01 12:00:{end:02},000][x][INFO] epoch {n}, learning_rate 0.1\n"
        for n, end in enumerate(ends, 1)
    ]
    (folder / "cnnsweep.log").write_text("".join(lines))
    seconds: list[float | None] = [1.0] * len(values)
    run = Run(folder, "completed", trial=trial, role="search")
    run.metrics = {"val_accuracy": [*values], "train_seconds": seconds}
    return run


def test_epochs_of_trials_that_took_turns_are_ordered_by_their_logs(tmp_path: Path) -> None:
    first = _run(tmp_path / "0", 0, [0.1, 0.9], [1, 4])  # paused after an epoch, thawed later
    second = _run(tmp_path / "1", 1, [0.3, 0.5], [2, 3])
    budgets = np.array([1.5, 2.5, 3.5, 4.5])
    turns = course_of_search([[first], [second]], "FreezeThaw", ACCURACY)
    one_by_one = course_of_search([[first], [second]], "NopPruner", ACCURACY)
    assert turns is not None
    assert one_by_one is not None
    assert turns.at(budgets).tolist() == [0.1, 0.3, 0.5, 0.9]
    assert one_by_one.at(budgets).tolist() == [0.1, 0.9, 0.9, 0.9]
    (tmp_path / "1" / "cnnsweep.log").unlink()  # then the order of the trials has to do
    blind = course_of_search([[first], [second]], "FreezeThaw", ACCURACY)
    assert blind is not None
    assert blind.at(budgets).tolist() == [0.1, 0.9, 0.9, 0.9]


def _steps(*steps: tuple[float, float]) -> Course:
    return Course(np.array([s for s, _ in steps]), np.array([v for _, v in steps]))


def test_the_lead_passes_where_the_curves_cross_and_ends_with_the_shortest() -> None:
    quick = Contender("quick", [_steps((1, 0.5), (20, 0.6))], 100_000)
    slow = Contender("slow", [_steps((10, 0.9), (500, 0.95))], 100_000)
    found = race([quick, slow], ACCURACY)
    assert found is not None
    assert found.noise == "images"
    assert [lead.leaders for lead in found.leads] == [["quick"], ["slow"]]
    assert found.leads[0].start == pytest.approx(1)
    assert found.leads[0].end == pytest.approx(10, rel=0.02)
    assert found.leads[1].end == pytest.approx(20)
    assert found.budgets[-1] == pytest.approx(20)


@pytest.mark.parametrize(("images", "tied"), [(100, True), (100_000, False), (None, False)])
def test_what_few_images_cannot_tell_apart_is_a_tie(images: int | None, tied: bool) -> None:
    contenders = [
        Contender("a", [_steps((1, 0.90), (9, 0.90))], images),
        Contender("b", [_steps((1, 0.93), (9, 0.93))], images),
    ]
    found = race(contenders, ACCURACY)
    assert found is not None
    assert [lead.leaders for lead in found.leads] == [["b", "a"] if tied else ["b"]]


@pytest.mark.parametrize(("spread", "tied"), [(0.05, True), (0.001, False)])
def test_three_searches_of_each_tell_their_noise_by_themselves(spread: float, tied: bool) -> None:
    def several(label: str, mean: float) -> Contender:
        own = [_steps((1, mean + d), (9, mean + d)) for d in (-spread, 0, spread)]
        return Contender(label, own, 10)

    found = race([several("a", 0.90), several("b", 0.93)], ACCURACY)
    assert found is not None
    assert found.noise == "courses"
    assert [lead.leaders for lead in found.leads] == [["b", "a"] if tied else ["b"]]
    ends = found.ends(0)
    assert ends is not None
    assert ends[0][0] < 0.90 < ends[1][0]


@pytest.mark.parametrize("seed", range(10))
def test_leads_follow_each_other_without_a_gap_and_the_last_is_that_of_the_end(seed: int) -> None:
    rng = random.Random(seed)

    def drawn() -> Course:
        found = course([(rng.uniform(0.1, 3), rng.random()) for _ in range(40)], ACCURACY)
        assert found is not None
        return found

    found = race([Contender(label, [drawn()], None) for label in "abcd"], ACCURACY)
    assert found is not None
    for one, after in zip(found.leads, found.leads[1:], strict=False):
        assert one.end == after.start
        assert one.start < one.end
        assert (one.is_alone, {*one.leaders}) != (after.is_alone, {*after.leaders})
    assert found.leads[0].start == found.budgets[0]
    assert found.leads[-1].end == found.budgets[-1]
    last = [table[:, -1].mean() for table in found.values]
    best = found.contenders[int(np.nanargmax(last))].label
    assert found.leads[-1].leaders[0] == best  # what is said of the end holds at the end


def test_nobody_leads_while_no_other_has_a_value() -> None:
    early = course([(0.1, 0.5), (0.1, 0.6), (4, 0.7)], ACCURACY)
    late = course([(2, 0.9), (2, 0.9)], ACCURACY)
    assert early is not None
    assert late is not None
    found = race([Contender("early", [early], None), Contender("late", [late], None)], ACCURACY)
    assert found is not None
    assert [(lead.is_alone, lead.leaders) for lead in found.leads] == [
        (True, ["early"]),
        (False, ["late"]),
    ]


def test_what_spent_nothing_or_never_finished_an_epoch_is_no_course() -> None:
    assert course([], ACCURACY) is None
    assert course([(0.0, 0.5)], ACCURACY) is None
    assert course([(1.0, None)], ACCURACY) is None
    late = Contender("late", [_steps((50, 0.5))], None)
    assert race([late, Contender("brief", [_steps((50, 0.9))], None)], ACCURACY) is None
