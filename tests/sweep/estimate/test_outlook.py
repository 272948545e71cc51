"""How jobs and spaces are written, as a dry run lists them."""

from typing import Any

import pytest
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
)

from cnnsweep.sweep.estimate.dry_run import busy_line, epochs_line, study_lines
from cnnsweep.sweep.estimate.of_grid import job_lines
from cnnsweep.sweep.estimate.of_search import points_of
from cnnsweep.sweep.estimate.outlook import Outlook, Pausing
from cnnsweep.sweep.estimate.prices import Prices
from cnnsweep.sweep.freeze_thaw.curve import Curve
from cnnsweep.sweep.freeze_thaw.rule import Terms
from cnnsweep.sweep.grid.numbering import GridJob


@pytest.mark.parametrize("count", [0, 1, 20, 21, 1000])
def test_few_jobs_are_listed_and_of_many_the_first_and_the_last(count: int) -> None:
    jobs = [GridJob(n, (f"seed={n}",), {"seed": str(n)}) for n in range(count)]
    lines = list(job_lines(jobs))
    if count <= 20:
        assert lines == [f"job {n}: seed={n}" for n in range(count)]
        return
    assert len(lines) == 11
    assert lines[4] == "job 4: seed=4"
    assert lines[5] == f"… {count - 10} more"
    assert lines[-1] == f"job {count - 1}: seed={count - 1}"


def test_passwords_in_a_job_are_masked_and_a_job_without_words_is_named() -> None:
    word = "logger.uri=postgresql://me:secret@host/db"
    lines = list(job_lines([GridJob(0, (word,), {}), GridJob(1, (), {})]))
    assert "secret" not in lines[0]
    assert lines[1] == "job 1: the config as it is"


@pytest.mark.parametrize("count", [1, 5, 24])
def test_points_that_stand_for_a_space_have_each_choice_equally_often(count: int) -> None:
    choices: list[Any] = [16, 32, 64, 128, 256]
    space: dict[str, BaseDistribution] = {
        "batch": CategoricalDistribution(choices),
        "lr": FloatDistribution(0.1, 1),
    }
    points = points_of(space, count)
    times = [sum(point["batch"] == choice for point in points) for choice in choices]
    assert sum(times) == count
    assert max(times) <= -(-count // len(choices))
    assert all(0.1 <= point["lr"] <= 1 for point in points)
    assert points == points_of(space, count)


def test_what_is_true_of_all_searches_is_said_once_and_else_of_whom() -> None:
    studies = [
        Outlook(["lr: 0 to 1", "momentum: 0 to 1", "sampler A"], (), name="sgd"),
        Outlook((), (), name="sgd"),  # another search of it
        Outlook(["lr: 0 to 1", "sampler A"], (), name="adam"),
        Outlook(["lr: 0 to 9", "momentum: 0 to 1", "sampler A"], (), name="lion"),
    ]
    assert list(study_lines(studies)) == [
        "  sgd, adam: lr: 0 to 1",
        "  sgd, lion: momentum: 0 to 1",
        "  sampler A",
        "  lion: lr: 0 to 9",
    ]
    assert list(study_lines(studies[:1])) == ["  lr: 0 to 1", "  momentum: 0 to 1", "  sampler A"]


def test_on_a_busy_machine_the_time_is_said_for_an_idle_one_or_for_this_one_too() -> None:
    timed = Prices([], 0, 0, 0, "", share=0.25, timed=True)
    assert busy_line(400, timed) == (
        "the machine is busy: a run gets about 25 % of what it would get of a core were nothing "
        "else at work; about 1 min 30 s then, about 7 min if it stays busy"
    )
    known = Prices([], 0, 0, 0, "", share=0.25)
    assert busy_line(100, known).endswith("; about 1 min 30 s then, about 7 min if it stays busy")


def test_epochs_to_come_are_told_from_those_of_all_and_those_before() -> None:
    curves = [Curve(n, (0.1, 0.2), 2, "over") for n in range(8)]
    new, begun = Pausing(Terms("auto", 1), 2, 12, []), Pausing(Terms("auto", 1), 2, 4, curves)
    assert epochs_line(9, [new]).endswith(
        "about 9 epochs, by curves as they often are, of 24 in all"
    )
    assert epochs_line(4, [begun]) == (
        "freeze_thaw trains about 4 more epochs, by curves as they often are, of 24 in all, 16 of "
        "which are trained"
    )
