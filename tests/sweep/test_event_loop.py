"""The event loop: who is answered, who is killed, and what waits while the study is away."""

from dataclasses import replace
from pathlib import Path

import pytest
from optuna.pruners import ThresholdPruner

from cnnsweep.errors import StoppedEarly
from cnnsweep.sweep.event_loop import FAILED_STARTS
from cnnsweep.sweep.spec.messages import Finished, Note, Started
from tests.sweep.study.in_process import Parts, epoch, make

ALL = range(10**9)


def away(parts: Parts) -> None:
    parts.storage.calls, parts.storage.failing = 0, ALL


def back(parts: Parts) -> None:
    parts.storage.failing = range(0)


def losing(folder: Path, slots: int = 1) -> Parts:
    """A search whose pruner prunes every epoch, each slot with a job."""
    parts = make(folder, slots=slots, pruner=ThresholdPruner(upper=0.0))
    parts.step()
    return parts


def test_free_workers_get_jobs_at_once_and_none_waits_for_another(tmp_path: Path) -> None:
    parts = make(tmp_path, n_trials=5, slots=3)
    parts.step()
    assert [job.folder for job in parts.pool.given] == ["0", "1", "2"]
    parts.send(Finished("completed", 1.0), slot=1)
    assert parts.pool.jobs[1].folder == "3"
    assert {parts.pool.jobs[0].folder, parts.pool.jobs[2].folder} == {"0", "2"}


def test_what_jobs_note_of_the_data_is_said_once(tmp_path: Path) -> None:
    parts = make(tmp_path, n_trials=5, slots=2)
    parts.step()
    parts.send(Note("2 classes"), slot=0)
    parts.send(Note("2 classes"), slot=1)
    parts.send(Note("another line"), slot=1)
    assert parts.said == ["2 classes", "another line"]


def test_while_the_storage_is_away_workers_are_told_not_to_prune_and_their_epochs_kept(
    tmp_path: Path,
) -> None:
    parts = losing(tmp_path)
    away(parts)
    parts.send(epoch(1, 5.0))
    parts.send(epoch(2, 6.0))
    assert parts.pool.answers == [(0, "go_on"), (0, "go_on")]
    back(parts)
    parts.step(2)
    assert parts.pool.answers == [(0, "go_on"), (0, "go_on")]  # each was answered once
    assert parts.search.study.get_trials()[0].intermediate_values == {1: 5.0, 2: 6.0}
    parts.send(epoch(3, 7.0))
    assert parts.pool.answers[2:] == [(0, "prune")]


def test_an_end_that_came_while_the_storage_was_away_is_told_in_its_turn(tmp_path: Path) -> None:
    parts = make(tmp_path, slots=2)
    parts.step()
    away(parts)
    parts.send(Finished("completed", 1.0), slot=1)
    parts.send(Finished("failed", error="bad"), slot=0)
    assert parts.pool.jobs == {}
    back(parts)
    parts.step(2)
    assert parts.states() == ["FAIL", "COMPLETE", "RUNNING"]
    over = [line for line in parts.said if line.startswith("trial ")]
    assert [line.partition(":")[0] for line in over] == ["trial 1", "trial 0"]


def test_an_outage_is_said_once_and_so_is_its_end(tmp_path: Path) -> None:
    parts = losing(tmp_path)
    away(parts)
    parts.send(epoch(1, 5.0))
    parts.step(5)
    back(parts)
    parts.step(2)
    said = [line for line in parts.said if "the study's storage" in line]
    assert len(said) == 2
    assert (
        "does not answer (OperationalError): waiting up to 60 s, running trials continue" in said[0]
    )
    assert "answers again after 0 s" in said[1]


def test_a_storage_that_stays_away_ends_the_sweep_in_one_line(tmp_path: Path) -> None:
    parts = make(tmp_path, outage_seconds=0.0)
    parts.step()
    away(parts)
    with pytest.raises(StoppedEarly, match="the same command resumes once it is back"):
        parts.send(epoch(1, 5.0))


def test_a_slot_that_has_another_job_by_now_is_not_answered(tmp_path: Path) -> None:
    parts = losing(tmp_path)
    away(parts)
    parts.pool.say(0, epoch(1, 5.0))
    parts.pool.jobs[0] = replace(parts.pool.jobs[0], folder="7")
    parts.step(3)
    assert parts.pool.answers == []


@pytest.mark.parametrize("is_away", [False, True])
def test_a_job_past_its_time_is_killed_and_what_it_said_is_forgotten(
    tmp_path: Path, is_away: bool
) -> None:
    parts = make(tmp_path, trial_timeout=10.0, pruner=ThresholdPruner(upper=0.0))
    parts.step()
    parts.send(Started())
    if is_away:
        away(parts)
        parts.send(epoch(1, 5.0))
        parts.pool.answers.clear()
    parts.pool.age = 11.0
    parts.step()
    assert parts.pool.killed == [0]
    back(parts)
    parts.pool.age = 1.0
    parts.step(3)
    assert parts.states() == ["FAIL", "RUNNING"]
    first = parts.search.study.get_trials()[0]
    assert first.user_attrs["error"] == "timed out: hydra.sweeper.trial_timeout=10 s"
    assert first.intermediate_values == {}
    assert parts.pool.answers == []
    assert parts.pool.jobs[0].folder == "1"


def test_of_several_jobs_in_a_process_none_fails_for_its_time_before_it_was_alone(
    tmp_path: Path,
) -> None:
    parts = make(tmp_path, slots=2, trial_timeout=10.0)
    parts.step()
    for slot in (0, 1):
        parts.send(Started(), slot=slot)
    parts.pool.shared = {0, 1}
    parts.pool.age = 11.0
    parts.step()
    parts.pool.age = 1.0
    parts.step(2)
    assert parts.pool.killed == [0, 1]
    assert parts.states() == ["RUNNING", "RUNNING"]
    assert [(job.folder, job.is_alone) for job in parts.pool.given[2:]] == [
        ("1", True), ("0", True)
    ]  # fmt: skip
    parts.pool.shared.clear()
    parts.pool.age = 11.0
    parts.step(2)
    assert parts.states()[:2] == ["FAIL", "FAIL"]


def test_a_job_whose_worker_comes_up_or_that_has_time_left_is_not_killed(tmp_path: Path) -> None:
    parts = make(tmp_path, trial_timeout=10.0)
    for age in (None, 9.0):
        parts.pool.age = age
        parts.step(2)
    assert parts.pool.killed == []


def test_workers_that_cannot_start_end_the_sweep_and_others_in_between_do_not(
    tmp_path: Path,
) -> None:
    parts = make(tmp_path, n_trials=9)
    parts.step()
    vain = Finished("never_started", error="exit code 1")
    for _ in range(FAILED_STARTS - 1):
        parts.send(vain)
    parts.send(Finished("preempted", error="told to go"))
    assert {job.folder for job in parts.pool.given} == {"0"}
    parts.send(Finished("completed", 1.0))
    for _ in range(FAILED_STARTS - 1):
        parts.send(vain)
    with pytest.raises(StoppedEarly, match=r"workers cannot start \(exit code 1\); see 0\.log"):
        parts.send(vain)
    assert parts.states() == ["COMPLETE", "RUNNING"]
