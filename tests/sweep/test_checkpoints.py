"""Which trials keep their checkpoints, whatever ends them in whatever order."""

import random
from dataclasses import replace
from itertools import product
from pathlib import Path

import optuna
import pytest
from optuna.trial import TrialState

from cnnsweep.folders.run_folder import RunFolder
from cnnsweep.metric_names import Direction
from cnnsweep.sweep.checkpoints import KEEP_BEST, Checkpoints, best_trials
from cnnsweep.sweep.grid.search import GridSearch
from cnnsweep.sweep.spec.messages import Finished, Job, Reason
from cnnsweep.sweep.spec.plan import FOLDER, Plan
from cnnsweep.sweep.study.opening.compatibility import KEEPS_ALL
from tests.sweep.study.in_process import Parts, make

ENDS: tuple[Reason, ...] = ("completed", "completed", "completed", "pruned", "failed", "died")


def write_checkpoints(parts: Parts, job: Job) -> None:
    """What a run has written after its first epoch."""
    run = RunFolder(parts.folder / job.folder)
    run.path.mkdir(parents=True, exist_ok=True)
    run.best.write_bytes(b"best")
    run.last.write_bytes(b"last")


def trials_with(parts: Parts, name: str) -> set[int]:
    """The numbers of trials that have such a file in one of their runs' folders."""
    return {int(p.relative_to(parts.folder).parts[0]) for p in parts.folder.rglob(name)}


def expected(parts: Parts, keep_best: int | None) -> set[int]:
    """The trials that are not over, and the best of those that are, ties to the earlier."""
    trials = parts.search.study.get_trials(deepcopy=False)
    if keep_best is None:
        return {trial.number for trial in trials}
    done = [trial for trial in trials if trial.state is TrialState.COMPLETE]
    best = sorted(done, key=lambda trial: (trial.value, trial.number))[:keep_best]
    return {t.number for t in best} | {t.number for t in trials if not t.state.is_finished()}


def run_all(parts: Parts, seed: int, keep_best: int | None, seeds: int = 1) -> None:
    """Every trial comes to one of ENDS, in any order; looks at the files after each step."""
    chance = random.Random(seed)
    while not parts.loop.step():
        for job in parts.pool.jobs.values():
            write_checkpoints(parts, job)
        assert trials_with(parts, "last.pt") == expected(parts, keep_best) & begun(parts)
        if not parts.pool.jobs:
            continue
        slot = chance.choice(sorted(parts.pool.jobs))
        job, reason = parts.pool.jobs[slot], chance.choice(ENDS)
        if seeds > 1 and reason == "pruned":
            reason = "completed"  # runs of one seed are not pruned by themselves
        value = chance.choice([0.25, 0.5, 0.75])
        if reason in ("completed", "pruned"):
            parts.write_result(job, value, reason)
        done = Finished(reason, value if reason == "completed" else None, error=reason)
        parts.pool.say(slot, done)


def begun(parts: Parts) -> set[int]:
    return {int(job.folder.partition("/")[0]) for job in parts.pool.given}


@pytest.mark.parametrize("keep_best", [0, 1, 2, 5, None])
@pytest.mark.parametrize("seeds", [1, 2])
def test_the_best_and_those_not_over_keep_theirs(
    tmp_path: Path, keep_best: int | None, seeds: int
) -> None:
    for seed in range(3):
        parts = make(tmp_path / str(seed), n_trials=9, slots=3, seeds=seeds, keep_best=keep_best)
        run_all(parts, seed, keep_best, seeds)
        assert trials_with(parts, "last.pt") == expected(parts, keep_best)
        assert trials_with(parts, "best.pt") == expected(parts, keep_best)


@pytest.mark.parametrize("after", [False, True])
def test_an_outage_at_any_call_of_an_end_removes_neither_more_nor_less(
    tmp_path: Path, after: bool
) -> None:
    for call in range(0, 40, 3):
        parts = make(tmp_path / str(call), n_trials=3, keep_best=1)
        for value in (0.5, 0.25):
            parts.step(2)
            end_first(parts, value)
        parts.step(2)
        write_checkpoints(parts, parts.pool.jobs[0])
        parts.storage.calls, parts.storage.after = 0, after
        parts.storage.failing = range(call, call + 2)
        end_first(parts, 0.75)
        assert 1 in trials_with(parts, "best.pt")
        parts.storage.failing = range(0)
        parts.until_done()
        assert trials_with(parts, "best.pt") == trials_with(parts, "last.pt") == {1}, call


def end_first(parts: Parts, value: float) -> None:
    job = parts.pool.jobs[0]
    write_checkpoints(parts, job)
    parts.write_result(job, value)
    parts.send(Finished("completed", value))


def test_a_launch_killed_before_it_removed_them_is_made_good_by_the_next(tmp_path: Path) -> None:
    parts = make(tmp_path, n_trials=3, keep_best=None)  # it removes nothing
    for value in (0.5, 0.25, 0.75):
        parts.step(2)
        end_first(parts, value)
    assert trials_with(parts, "best.pt") == {0, 1, 2}
    Checkpoints(1, (), print).drop(parts.search, again=True)
    assert trials_with(parts, "best.pt") == {1}


def test_keep_on_the_command_line_counts_unless_keep_best_is_there_too(tmp_path: Path) -> None:
    parts = make(tmp_path, n_trials=2)
    for value in (0.5, 0.25):
        parts.step(2)
        end_first(parts, value)
    Checkpoints(1, ("keep", "epochs"), print).drop(parts.search)
    assert trials_with(parts, "best.pt") == {0, 1}
    Checkpoints(1, ("keep", KEEP_BEST), print).drop(parts.search)
    assert trials_with(parts, "best.pt") == {1}


def test_what_older_code_began_keeps_all_unless_keep_best_is_typed(tmp_path: Path) -> None:
    parts = make(tmp_path, n_trials=2)
    parts.search.study.set_user_attr(KEEPS_ALL, True)
    for value in (0.5, 0.25):
        parts.step(2)
        end_first(parts, value)
    Checkpoints(1, (), print).drop(parts.search)
    assert trials_with(parts, "best.pt") == {0, 1}
    Checkpoints(1, (KEEP_BEST,), print).drop(parts.search)
    assert trials_with(parts, "best.pt") == {1}


def test_a_file_that_cannot_be_removed_is_said_once_and_ends_nothing(tmp_path: Path) -> None:
    parts = make(tmp_path, n_trials=3, keep_best=1)
    for value in (0.25, 0.5, 0.75):
        parts.step(2)
        job = parts.pool.jobs[0]
        (parts.folder / job.folder / "last.pt").mkdir(parents=True)
        parts.write_result(job, value)
        parts.send(Finished("completed", value))
    parts.until_done()
    assert len([line for line in parts.said if "cannot be removed" in line]) == 1


def test_where_objectives_compete_all_of_the_front_is_best() -> None:
    study = optuna.create_study(directions=["minimize", "minimize"])
    for number, values in enumerate([(1, 3), (2, 2), (3, 1), (3, 3)]):
        trial = study.ask()
        trial.set_user_attr(FOLDER, str(number))
        study.tell(trial, values)
    assert [trial.number for trial in best_trials(study, 1)] == [0, 1, 2]
    assert best_trials(study, 0) == []


@pytest.mark.parametrize("direction", ["minimize", "maximize"])
def test_the_best_are_best_in_the_studys_direction(direction: Direction) -> None:
    study = optuna.create_study(direction=direction)
    for number, value in enumerate((0.5, 0.1, 0.9, 0.9, 0.1)):
        trial = study.ask()
        trial.set_user_attr(FOLDER, str(number))
        study.tell(trial, value)
    numbers = [trial.number for trial in best_trials(study, 3)]
    assert numbers == ([1, 4, 0] if direction == "minimize" else [2, 3, 0])
    assert best_trials(study, 3)[0].number == study.best_trial.number


class Grid(GridSearch):
    """A grid of which only the study and the jobs' folders are there."""

    def __init__(self, folder: Path, jobs: dict[str, dict[str, str]]) -> None:
        self.search_index, self.study = 0, optuna.create_study(direction="maximize")
        self.plan = replace(plan_of(folder), jobs=jobs)
        for name in jobs:
            write(folder / name)

    def tell(self, folder: str, value: float | None, state: TrialState) -> None:
        trial = self.study.ask()
        trial.set_user_attr(FOLDER, folder)
        self.study.tell(trial, value, state)


def plan_of(folder: Path) -> Plan:
    return make(folder).search.plan


def write(run: Path) -> None:
    run.mkdir(parents=True)
    RunFolder(run).best.touch()
    RunFolder(run).last.touch()


JOBS = {
    str(number): {"model": model, "seed": str(seed)}
    for number, (model, seed) in enumerate(product(("a", "b", "c"), range(2)))
}
DONE, FAILED, NO_VALUE = TrialState.COMPLETE, TrialState.FAIL, TrialState.PRUNED


def left(folder: Path) -> set[str]:
    names = {path.parent.name for path in folder.rglob("last.pt")}
    assert names == {path.parent.name for path in folder.rglob("best.pt")}
    return names


def test_a_grid_keeps_all_seeds_of_its_best_setting(tmp_path: Path) -> None:
    grid = Grid(tmp_path, JOBS)
    checkpoints = Checkpoints(1, (), print)
    kept = []
    for folder, value in zip("013254", (0.1, 0.9, 0.6, 0.6, 0.2, 0.95), strict=True):
        grid.tell(folder, value, DONE)
        checkpoints.drop(grid)
        kept.append("".join(sorted(left(tmp_path))))
    # a: 0.5; then b: 0.6, which wins; then c: 0.575
    assert kept == ["012345", "012345", "012345", "2345", "2345", "23"]


def test_a_grids_failed_jobs_and_those_without_an_objective_keep_theirs(tmp_path: Path) -> None:
    grid = Grid(tmp_path, JOBS)
    for folder, value in zip("0145", (0.5, 0.6, 0.1, 0.2), strict=True):
        grid.tell(folder, value, DONE)
    grid.tell("2", 0.0, DONE)
    grid.tell("3", None, FAILED)
    checkpoints = Checkpoints(1, (), print)
    checkpoints.drop(grid)
    assert left(tmp_path) == {"0", "1", "2", "3"}
    grid.tell("3", 0.9, DONE)  # tried again: its setting is known now, 0.45
    checkpoints.drop(grid)
    assert left(tmp_path) == {"0", "1"}


def test_a_grid_whose_jobs_have_no_objective_keeps_all(tmp_path: Path) -> None:
    grid = Grid(tmp_path, JOBS)
    for folder in JOBS:
        grid.tell(folder, None, NO_VALUE)
    Checkpoints(0, (), print).drop(grid)
    assert left(tmp_path) == set(JOBS)


@pytest.mark.parametrize("order", [[0, 1, 2, 3, 4, 5], [5, 3, 1, 0, 2, 4], [2, 5, 0, 4, 1, 3]])
def test_a_grid_keeps_the_same_in_whatever_order_its_jobs_end(
    tmp_path: Path, order: list[int]
) -> None:
    grid = Grid(tmp_path, JOBS)
    checkpoints = Checkpoints(2, (), print)
    for number in order:
        grid.tell(str(number), [0.5, 0.5, 0.4, 0.6, 0.5, 0.4][number], DONE)
        checkpoints.drop(grid)
    assert left(tmp_path) == {"0", "1", "2", "3"}


def test_of_equal_settings_a_grid_keeps_the_first_by_number_as_its_folder_stands_for(
    tmp_path: Path,
) -> None:
    """`-m lr=1`, then `-m lr=2,1` in the same folder: job 1 is asked for before job 0."""
    grid = Grid(tmp_path, {folder: {"epochs": folder} for folder in ("10", "9", "2")})
    for folder in grid.plan.jobs:
        grid.tell(folder, 0.5, DONE)
    Checkpoints(1, (), print).drop(grid)
    assert left(tmp_path) == {"2"}
