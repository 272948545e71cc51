"""What becomes of a grid's jobs, for each reason for which a run can end; no process is started."""

import math
from collections.abc import Sequence
from pathlib import Path

import optuna
import pytest
from omegaconf import OmegaConf
from optuna.pruners import NopPruner
from rich.console import Console

from cnnsweep.sweep.checkpoints import Checkpoints
from cnnsweep.sweep.event_loop import EventLoop
from cnnsweep.sweep.grid.ask import GridAsker, failed, lost
from cnnsweep.sweep.grid.longer import OtherEpochs
from cnnsweep.sweep.grid.numbering import GridJob
from cnnsweep.sweep.grid.outcome import outcome_lines
from cnnsweep.sweep.grid.search import GridSearch
from cnnsweep.sweep.progress import SweepProgress
from cnnsweep.sweep.spec.failure_policy import NoWatch
from cnnsweep.sweep.spec.messages import Finished, Reason
from cnnsweep.sweep.spec.plan import Plan
from cnnsweep.sweep.spec.space.search_space import SearchSpace
from cnnsweep.sweep.study.confirmation import Confirmation
from cnnsweep.sweep.study.coordination import SingleLaunch
from cnnsweep.sweep.study.opening.storage_outage import Outage, OutageStorage
from cnnsweep.sweep.study.retries import Retries
from cnnsweep.sweep.study.tell import Recorder
from tests.sweep.study.in_process import FailingStorage, FakePool, Parts, SaidLines, epoch

JOBS = [("seed=0",), ("seed=1",), ("seed=2",)]


def make(folder: Path, storage: FailingStorage, jobs: Sequence[tuple[str, ...]] = JOBS) -> Parts:
    """A grid of three jobs on one worker; over a storage of an earlier launch it resumes that."""
    said: list[str] = []
    coordination = SingleLaunch()
    study = optuna.create_study(
        study_name="test",
        storage=OutageStorage(storage, coordination.check),  # type: ignore[arg-type]
        pruner=NopPruner(),
        direction="minimize",
        load_if_exists=True,
    )
    listed = [GridJob(n, job, {"seed": job[0][-1]}) for n, job in enumerate(jobs)]
    plan = Plan(
        sweep=folder,
        subfolder="",
        study_name="test",
        space=SearchSpace({}, ()),
        config=OmegaConf.create({"seed": 0}),
        objectives=("val_loss",),
        directions=("minimize",),
        n_trials=len(jobs),
        points=None,
        seed=0,
        threads=None,
        typed=frozenset(),
        noun="job",
        swept=frozenset({"seed"}),
        jobs={str(job.number): job.swept for job in listed},
    )
    recorder = Recorder(plan, study, NoWatch(), said.append, "cnnsweep.log")
    search = GridSearch(
        longer=OtherEpochs(),
        search_index=0,
        plan=plan,
        seeds=1,
        retries=Retries(recorder, 1),
        study=study,
        asker=GridAsker(study, [(job, str(job.number)) for job in listed], failed(study)),
        recorder=recorder,
        confirmation=Confirmation(0, plan, study, recorder, wanted=0, seeds=1),
        time_left=lambda: math.inf,
        coordination=coordination,
        may_confirm=True,
    )
    pool = FakePool(1)
    progress = SweepProgress(Console(file=SaidLines(said)), None)
    checkpoints = Checkpoints(None, (), said.append)
    loop = EventLoop([search], pool, progress, Outage(said.append), checkpoints, None)
    search.resume_trials()
    storage.calls = 0
    return Parts(search, loop, pool, storage, said, folder)


def finished(reason: Reason) -> Finished:
    return Finished(reason, 0.5) if reason == "completed" else Finished(reason, error="why")


# reason -> the folder of the worker's next job, the first trial's state, its folder's status
TABLE: dict[Reason, tuple[str, str, str | None]] = {
    "completed": ("1", "COMPLETE", "completed"),
    "failed": ("1", "FAIL", "failed"),
    "died": ("0", "RUNNING", None),
    "timeout": ("1", "FAIL", "failed"),
    "preempted": ("0", "RUNNING", None),
    "lost": ("0", "RUNNING", None),
    "never_started": ("0", "RUNNING", None),
    "held": ("1", "RUNNING", None),
}


@pytest.mark.parametrize("reason", TABLE)
@pytest.mark.parametrize("outage", [None, *range(0, 40, 3)])
def test_the_end_of_a_job(reason: Reason, outage: int | None, tmp_path: Path) -> None:
    """Also where the storage goes away at any call and comes back."""
    parts = make(tmp_path, FailingStorage())
    parts.step()
    if reason == "completed":
        parts.write_result(parts.pool.given[0], 0.5)
    if outage is not None:
        parts.storage.calls, parts.storage.failing = 0, range(outage, outage + 1)
    parts.send(finished(reason))
    parts.step(4)
    parts.storage.failing = range(0)
    parts.step(2)
    folder, state, status = TABLE[reason]
    assert parts.pool.given[-1].folder == folder
    assert parts.states()[0] == state
    assert parts.status("0") == status


def test_jobs_have_numbers_folders_and_overrides(tmp_path: Path) -> None:
    parts = make(tmp_path, FailingStorage())
    for value in (0.3, 0.2, 0.1):
        parts.step()
        parts.write_result(parts.pool.given[-1], value)
        parts.send(Finished("completed", value))
    parts.until_done()
    assert [(job.number, job.folder, job.overrides) for job in parts.pool.given] == [
        (number, str(number), job) for number, job in enumerate(JOBS)
    ]
    assert not any(job.is_prunable for job in parts.pool.given)
    assert parts.search.counts() == {"done": 3, "failed": 0, "running": 0, "of": 3}


def test_a_failed_job_is_tried_again_by_the_next_launch_and_only_then(tmp_path: Path) -> None:
    storage = FailingStorage()
    first = make(tmp_path, storage)
    for _ in JOBS:
        first.step()
        first.send(Finished("failed", error="why"))
    first.until_done()
    assert first.search.counts() == {"done": 0, "failed": 3, "running": 0, "of": 3}
    assert isinstance(first.search, GridSearch)
    _, error = outcome_lines(first.search)
    assert error is not None
    assert error.startswith("0 of 3 completed, 3 failed: job 0, job 1, job 2: why")
    again = make(tmp_path, storage)
    assert again.search.counts() == {"done": 0, "failed": 0, "running": 0, "of": 3}
    for value in (0.3, 0.2, 0.1):
        again.step()
        again.write_result(again.pool.given[-1], value)
        again.send(Finished("completed", value))
    again.until_done()
    assert [job.folder for job in again.pool.given] == ["0", "1", "2"]
    assert again.states() == ["FAIL"] * 3 + ["COMPLETE"] * 3
    assert again.search.counts() == {"done": 3, "failed": 0, "running": 0, "of": 3}
    assert isinstance(again.search, GridSearch)
    assert outcome_lines(again.search)[1] is None


def test_a_job_that_kills_its_worker_again_and_again_costs_itself_alone(tmp_path: Path) -> None:
    parts = make(tmp_path, FailingStorage())
    parts.step()
    parts.send(Finished("died", error="killed (out of memory?)"))
    parts.send(Finished("died", error="killed (out of memory?)"))
    assert parts.states()[0] == "FAIL"
    assert parts.pool.given[-1].folder == "1"


@pytest.mark.parametrize("value", [None, float("nan"), "text", [0.1, 0.2]])
def test_a_job_without_a_usable_objective_is_completed(value: object, tmp_path: Path) -> None:
    parts = make(tmp_path, FailingStorage())
    parts.step()
    parts.write_result(parts.pool.given[0], 0.5)
    parts.send(epoch(1, 0.5))
    parts.send(Finished("completed", value))
    assert parts.states()[0] == "PRUNED"  # Optuna takes no completed trial without a value
    assert parts.search.counts()["done"] == 1
    assert parts.status("0") == "completed"


@pytest.mark.parametrize("value", [0.5, None])
@pytest.mark.parametrize("is_our_task", [True, False])
def test_what_is_gone_is_done_again_and_what_never_was_is_not(
    value: float | None, is_our_task: bool, tmp_path: Path
) -> None:
    """Another app may write no results at all; a job may have no objective."""
    parts = make(tmp_path, FailingStorage())
    for _ in JOBS:
        parts.step()
        (tmp_path / parts.pool.given[-1].folder).mkdir()
        parts.send(Finished("completed", value))
    parts.until_done()
    study = parts.search.study
    everything = {0: "0", 1: "1", 2: "2"}
    assert lost(study, tmp_path, is_our_task=is_our_task) == (everything if is_our_task else {})
    (tmp_path / "1").rmdir()
    gone = everything if is_our_task else {1: "1"}
    assert lost(study, tmp_path, is_our_task=is_our_task) == gone
    parts.write_result(parts.pool.given[0], 0.5)
    assert lost(study, tmp_path, is_our_task=is_our_task) == {1: "1", 2: "2"}


def test_a_launch_killed_after_asking_gives_the_trial_the_same_job(tmp_path: Path) -> None:
    storage = FailingStorage()
    first = make(tmp_path, storage)
    first.search.study.ask()  # and is killed before the job's attributes are there
    again = make(tmp_path, storage)
    again.step()
    assert again.pool.given[0].folder == "0"
    assert again.states() == ["RUNNING"]
