"""The life of a trial: for each state and each event the next job, the study, and the folder."""

import contextlib
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from optuna.pruners import BasePruner, MedianPruner, ThresholdPruner

from cnnsweep.errors import StoppedEarly
from cnnsweep.folders import lock
from cnnsweep.sweep.freeze_thaw.pruner import FreezeThaw
from cnnsweep.sweep.spec.messages import Finished, Reason, Started
from cnnsweep.sweep.study import retries
from cnnsweep.sweep.study.retries import MOST_LOSSES
from tests.command import REPOSITORY
from tests.sweep.study.in_process import Parts, TakenOver, epoch, make

SAME, NEXT, SEED, NONE = "same run", "next trial", "next seed", "none"
GONE: tuple[Reason, ...] = ("died", "timeout", "preempted", "lost", "never_started", "held",
    "shared_death",
)  # fmt: skip
PAUSING = ("running", "thawed")  # states of searches whose pruner is the default
ENDS: tuple[Reason, ...] = ("completed", "pruned", "paused")
REASONS: tuple[Reason, ...] = ("completed", "pruned", "paused", "failed", *GONE)

# state, event -> what the free worker gets, the trial's state in the study, status in its folder
# (None: no result.json). A row "others" stands for the reasons that are not named for its state.
TABLE: list[tuple[str, str, str, str, str | None]] = [
    ("running", "completed", NEXT, "COMPLETE", "completed"),
    ("running", "pruned", NEXT, "PRUNED", "pruned"),
    ("running", "paused", NEXT, "RUNNING", "paused"),
    ("running", "failed", NEXT, "FAIL", "failed"),
    ("running", "died", SAME, "RUNNING", None),
    ("running", "shared_death", SAME, "RUNNING", None),
    ("running", "timeout", NEXT, "FAIL", "failed"),
    ("running", "preempted", SAME, "RUNNING", None),
    ("running", "lost", SAME, "RUNNING", None),
    ("running", "never_started", SAME, "RUNNING", None),
    ("running", "held", NEXT, "RUNNING", None),
    ("died before", "died", NEXT, "FAIL", "failed"),
    ("lost often", "lost", NEXT, "FAIL", "failed"),
    ("just done", "died", NEXT, "COMPLETE", "completed"),
    ("just done", "shared_death", SAME, "RUNNING", "completed"),
    ("just done", "timeout", NEXT, "COMPLETE", "completed"),
    ("just done", "preempted", SAME, "RUNNING", "completed"),
    ("just done", "lost", NEXT, "COMPLETE", "completed"),
    ("thawed", "completed", NEXT, "COMPLETE", "completed"),
    ("thawed", "failed", NEXT, "FAIL", "failed"),
    ("thawed", "died", SAME, "RUNNING", "paused"),
    ("thawed", "shared_death", SAME, "RUNNING", "paused"),
    ("thawed", "timeout", NEXT, "FAIL", "failed"),
    ("thawed", "preempted", SAME, "RUNNING", "paused"),
    ("thawed", "held", NEXT, "RUNNING", "paused"),
    ("first seed", "completed", SEED, "RUNNING", None),
    ("first seed", "failed", NEXT, "FAIL", "failed"),
    ("first seed", "died", SAME, "RUNNING", None),
    ("first seed", "timeout", NEXT, "FAIL", "failed"),
    ("last seed", "completed", NEXT, "COMPLETE", "completed"),
    ("last seed", "failed", NEXT, "FAIL", "failed"),
    ("last seed", "lost", SAME, "RUNNING", None),
    ("last seed", "held", NEXT, "RUNNING", None),
    ("another host's", "completed", NEXT, "RUNNING", "completed"),
    ("another host's", "pruned", NEXT, "RUNNING", "pruned"),
    ("another host's", "paused", NEXT, "RUNNING", "paused"),
    ("another host's", "failed", NEXT, "RUNNING", None),
    ("another host's", "died", NEXT, "RUNNING", None),
    ("another host's", "timeout", NEXT, "RUNNING", None),
    ("confirming", "completed", "next confirmation", "COMPLETE", "completed"),
    ("confirming", "failed", "next confirmation", "COMPLETE", "failed"),
    ("confirming", "died", SAME, "COMPLETE", None),
    ("confirming", "shared_death", SAME, "COMPLETE", None),
    ("confirming", "timeout", "next confirmation", "COMPLETE", "failed"),
    ("confirming", "preempted", SAME, "COMPLETE", None),
    ("confirming", "lost", SAME, "COMPLETE", None),
    ("confirming", "never_started", SAME, "COMPLETE", None),
    ("confirming", "held", "next confirmation", "COMPLETE", None),
]


def begin(state: str, folder: Path) -> Parts:
    """A search whose only worker has a run in this state."""
    seeds = 2 if "seed" in state else 1
    parts = make(
        folder,
        seeds=seeds,
        n_trials={"confirming": 1, "thawed": 2}.get(state, 3),
        pruner=FreezeThaw(budget=1.0, min_epochs=1) if state in PAUSING else None,
        confirm=2 if state == "confirming" else 0,
        coordination=TakenOver() if state == "another host's" else None,
    )
    parts.step()
    if state == "confirming":
        finish(parts, "completed")
    if state == "thawed":  # the better of two that had their first epoch
        for value in (0.5, 0.9):
            parts.send(Started())
            parts.send(epoch(1, value))
            parts.write_result(parts.pool.jobs[0], value, "paused")
            parts.send(Finished("paused"))
    parts.send(Started())
    if state == "running":
        parts.send(epoch(1, 0.25))
    if state == "last seed":
        finish(parts, "completed")
    elif state == "died before":
        parts.send(epoch(1, 0.5))
        finish(parts, "died")
    elif state == "lost often":
        for _ in range(MOST_LOSSES - 1):
            finish(parts, "lost")
    elif state == "just done":
        parts.write_result(parts.pool.jobs[0], 0.25)
    return parts


def finish(parts: Parts, reason: Reason) -> None:
    """The worker's job ends for this reason, its run having written what runs then write."""
    job = parts.pool.jobs[0]
    if reason in ENDS:
        parts.write_result(job, 0.25, reason)
    value = 0.25 if reason == "completed" else None
    error = None if reason in ENDS else f"it {reason}"
    parts.send(Finished(reason, value, error=error))


@pytest.mark.parametrize(("state", "event", "job", "study", "folder"), TABLE)
def test_each_end_of_a_run_has_its_outcome(
    tmp_path: Path, state: str, event: Reason, job: str, study: str, folder: str | None
) -> None:
    parts = begin(state, tmp_path)
    before = parts.pool.jobs[0]
    finish(parts, event)
    assert next_job(parts, before.folder) == job
    assert parts.states()[0] == study
    trial = before.folder if before.trial is None else str(before.trial)
    assert parts.status(trial) == folder


def next_job(parts: Parts, before: str) -> str:
    job = parts.pool.jobs.get(0)
    if job is None:
        return NONE
    if job.folder == before:
        return SAME
    if job.trial is None:
        return "next confirmation"
    return SEED if job.folder.partition("/")[0] == before.partition("/")[0] else NEXT


def test_the_table_covers_each_reason_and_is_the_one_of_the_documents() -> None:
    assert {event for state, event, *_ in TABLE if state == "running"} == set(REASONS)
    text = (REPOSITORY / "docs" / "architecture.md").read_text(encoding="utf-8")
    section = text.partition("## The life of a trial")[2].partition("\n## ")[0]
    rows = [
        tuple(cell.strip() for cell in row.strip("|").split("|"))
        for row in re.findall(r"^\|.*\|$", section, re.MULTILINE)
    ]
    assert rows[2:] == [(s, e, j, t, f or "none") for s, e, j, t, f in TABLE]


def snapshot(parts: Parts) -> object:
    """What a search has left, whatever happened to it on the way."""
    trials = [
        (t.number, t.state.name, t.values, t.params, t.user_attrs, t.intermediate_values)
        for t in parts.search.study.get_trials(deepcopy=False)
    ]
    runs = [path.parent.relative_to(parts.folder) for path in parts.folder.rglob("result.json")]
    folders = sorted((str(run), parts.status(str(run))) for run in runs)
    said = [line.replace(str(parts.folder), "") for line in parts.said]
    said = [line for line in said if "the study's storage" not in line]
    return trials, folders, said, parts.pool.jobs, parts.pool.answers


@pytest.mark.parametrize(("state", "event"), [(row[0], row[1]) for row in TABLE])
def test_an_outage_at_any_call_changes_nothing_but_the_time(
    tmp_path: Path, state: str, event: Reason
) -> None:
    """The storage goes away at call k, for one call or three, while an end is acted on: every k.

    It does so before the call is done or after it, so that only the answer is lost.
    """
    plain = begin(state, tmp_path / "plain")
    plain.storage.calls = 0
    finish(plain, event)
    plain.step(4)
    expected, calls = snapshot(plain), plain.storage.calls
    assert calls > 0
    for call in range(calls):
        for after in (False, True) if state == "running" else (call % 4 < 2,):
            length = 1 if call % 2 else 3
            parts = begin(state, tmp_path / f"{call}{after}")
            parts.storage.calls, parts.storage.after = 0, after
            parts.storage.failing = range(call, call + length)
            finish(parts, event)
            parts.step(length + 6)
            parts.storage.failing = range(0)
            assert snapshot(parts) == expected, (call, length, after)


@pytest.mark.parametrize("after", [False, True])
def test_an_outage_while_a_trial_is_asked_for_skips_and_doubles_none(
    tmp_path: Path, after: bool
) -> None:
    plain = make(tmp_path / "plain", n_trials=2, slots=2)
    plain.step(3)
    expected = [t.params for t in plain.search.study.get_trials(deepcopy=False)]
    calls = plain.storage.calls
    for call in range(calls):
        parts = make(tmp_path / str(call), n_trials=2, slots=2)
        parts.storage.after, parts.storage.failing = after, range(call, call + 2)
        parts.step(10)
        parts.storage.failing = range(0)
        assert parts.states() == ["RUNNING", "RUNNING"], call
        assert sorted(job.folder for job in parts.pool.given) == ["0", "1"], call
        assert [t.params for t in parts.search.study.get_trials(deepcopy=False)] == expected, call


@pytest.mark.parametrize(
    ("pruner", "answer"),
    [(ThresholdPruner(upper=1.0), "prune"), (ThresholdPruner(upper=9.0), "go_on")],
)
def test_a_reported_epoch_is_answered_by_the_pruner(
    tmp_path: Path, pruner: BasePruner, answer: str
) -> None:
    parts = make(tmp_path, pruner=pruner)
    parts.step()
    parts.send(epoch(1, 5.0))
    assert parts.pool.answers == [(0, answer)]
    assert parts.search.study.get_trials()[0].intermediate_values == {1: 5.0}


def test_a_losing_trial_gets_no_second_seed(tmp_path: Path) -> None:
    parts = make(tmp_path, seeds=2, pruner=MedianPruner(n_startup_trials=1, n_warmup_steps=0))
    parts.step()
    for value in (1.0, 1.0, 9.0):
        parts.write_result(parts.pool.jobs[0], value)
        parts.send(Finished("completed", value))
    assert parts.states()[:2] == ["COMPLETE", "PRUNED"]
    assert parts.pool.jobs[0].folder == "2/seed_0"
    assert parts.status("1") == "pruned"


@pytest.mark.parametrize("returned", [float("nan"), "much", None, [1.0, 2.0]])
def test_a_value_that_is_no_objective_fails_its_trial_alone(
    tmp_path: Path, returned: object
) -> None:
    parts = make(tmp_path)
    parts.step()
    parts.write_result(parts.pool.jobs[0], 0.0)
    parts.send(Finished("completed", returned))
    assert parts.states() == ["FAIL", "RUNNING"]
    assert parts.status("0") == "failed"


def test_trials_left_running_are_resumed_under_their_numbers_and_not_twice(tmp_path: Path) -> None:
    parts = make(tmp_path, slots=2)
    parts.step()
    parts.search.forget()
    assert parts.search.resume_trials() == 2
    assert parts.search.resume_trials() == 2
    jobs = [parts.search.next_job() for _ in range(2)]
    assert [job.folder for job in jobs if job is not None] == ["0", "1"]
    third = parts.search.next_job()
    assert third is not None
    assert third.folder == "2"


def test_a_trial_that_killed_too_often_is_failed_when_it_would_be_resumed(tmp_path: Path) -> None:
    parts = make(tmp_path, retries=2)
    parts.step()
    finish(parts, "died")
    finish(parts, "died")
    parts.search.forget()
    parts.search.retries.allowed = 1
    parts.search.resume_trials()
    assert parts.states() == ["FAIL"]
    assert parts.status("0") == "failed"


def test_losses_with_an_epoch_between_are_never_held_against_a_run(tmp_path: Path) -> None:
    parts = make(tmp_path)
    parts.step()
    for number in range(1, 3 * MOST_LOSSES):
        parts.send(epoch(number, 1.0))
        finish(parts, "lost")
    assert parts.states() == ["RUNNING"]
    assert not any("deaths" in t.user_attrs for t in parts.search.study.get_trials())


@pytest.mark.parametrize(
    ("failures", "rate", "said"),
    [(5, 1.0, "5 trials in a row failed for the same cause"), (1, 0.4, "1 of 1 trials failed")],
)
def test_failures_end_a_sweep(tmp_path: Path, failures: int, rate: float, said: str) -> None:
    parts = make(tmp_path, n_trials=9, max_failure_rate=rate)
    parts.step()
    for _ in range(failures - 1):
        finish(parts, "failed")
    with pytest.raises(StoppedEarly, match=said):
        finish(parts, "failed")
    assert parts.states() == ["FAIL"] * failures


def test_a_whole_search_ends_with_its_winner_confirmed(tmp_path: Path) -> None:
    parts = make(tmp_path, n_trials=3, confirm=2, slots=2)
    values = iter([3.0, 1.0, 2.0, 1.0, 1.0])
    parts.step()
    while parts.pool.jobs:
        slot, job = next(iter(parts.pool.jobs.items()))
        value = next(values)
        parts.write_result(job, value)
        parts.send(Finished("completed", value), slot)
    parts.until_done()
    assert parts.states() == ["COMPLETE"] * 3
    assert [job.folder for job in parts.pool.given] == ["0", "1", "2", "confirm/1", "confirm/2"]
    assert {job.number for job in parts.pool.given if job.trial is None} == {1}
    assert parts.search.confirmation.test_metrics() == [2.0, 2.0]


def test_a_run_whose_folder_is_held_waits_as_long_as_that_takes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    parts = make(tmp_path, n_trials=2)
    parts.step()
    finish(parts, "held")
    assert parts.pool.jobs[0].folder == "1"  # others go first
    finish(parts, "completed")
    assert (parts.pool.jobs, parts.states()) == ({}, ["RUNNING", "COMPLETE"])
    monkeypatch.setattr(retries, "HELD_SECONDS", 0.0)
    for _ in range(50):
        parts.step()
        assert parts.pool.jobs[0].folder == "0"
        finish(parts, "held")
    assert parts.states() == ["RUNNING", "COMPLETE"]
    assert sum("others go first" in line for line in parts.said) == 1
    finish(parts, "completed")
    parts.until_done()
    assert parts.states() == ["COMPLETE", "COMPLETE"]
    assert "deaths" not in parts.search.study.trials[0].user_attrs


HOLDER = """
import sys, time
from pathlib import Path
from cnnsweep.folders import lock
lock.acquire(Path(sys.argv[1]))
print("held", flush=True)
time.sleep(600)
"""


@contextlib.contextmanager
def frozen_holder(folder: Path) -> Iterator[None]:
    """A stopped process that keeps a run folder's lock."""
    folder.mkdir(exist_ok=True)
    line = [sys.executable, "-c", HOLDER, str(folder)]
    with subprocess.Popen(line, cwd=REPOSITORY, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            process.kill()


@pytest.mark.parametrize("given_up", [True, False])
def test_the_lock_of_a_worker_that_was_given_up_is_taken_from_it_and_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, given_up: bool
) -> None:
    parts = make(tmp_path, n_trials=1)
    monkeypatch.setattr(retries, "HELD_SECONDS", 0.0)
    parts.step()
    folder = tmp_path / "0"
    if not given_up:  # and its lock is free, before another process comes
        finish(parts, "lost")
    with frozen_holder(folder):
        if given_up:
            finish(parts, "lost")
        finish(parts, "held")
        assert lock.is_held_elsewhere(folder)  # it may not be dead yet
        monkeypatch.setattr(retries, "GIVEN_UP_SECONDS", 0.0)
        finish(parts, "held")
        assert parts.pool.jobs[0].folder == "0"
        assert lock.is_held_elsewhere(folder) != given_up
    assert parts.states() == ["RUNNING"]
