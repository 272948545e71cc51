"""Whole searches that pause and thaw, in one process: killed anywhere, with several workers."""

import math
from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest
from omegaconf import DictConfig, OmegaConf

from cnnsweep.sweep.freeze_thaw.paused import is_paused
from cnnsweep.sweep.freeze_thaw.pruner import FreezeThaw
from cnnsweep.sweep.results import write_results
from tests.sweep.freeze_thaw.simulated import Disk, drive, table
from tests.sweep.study.in_process import EPOCHS, FailingStorage, Parts, make
from tests.sweep.study.studies import sampler

TRIALS = 6


def search(
    folder: Path,
    *,
    storage: FailingStorage | None = None,
    seeds: int = 1,
    slots: int = 1,
    budget: float | str = 0.5,
    trials: int = TRIALS,
    sampling: DictConfig | None = None,
    time_left: Callable[[], float] = lambda: math.inf,
) -> Parts:
    pruner = FreezeThaw(budget, min_epochs=1)
    return make(
        folder,
        storage=storage,
        seeds=seeds,
        slots=slots,
        n_trials=trials,
        pruner=pruner,
        sampling=sampling,
        time_left=time_left,
    )


@pytest.mark.parametrize("stop_early", [False, True])
@pytest.mark.parametrize("seeds", [1, 2])
@pytest.mark.parametrize("name", ["RandomSampler", "TPESampler"])
def test_a_search_that_is_killed_after_any_message_ends_as_one_that_was_not(
    tmp_path: Path, name: str, seeds: int, *, stop_early: bool
) -> None:
    unbroken = search(tmp_path / "unbroken", seeds=seeds, sampling=sampler(name))
    disk = Disk(stop_early=stop_early)
    events = drive(unbroken, disk)
    expected = table(unbroken)
    assert any(is_paused(trial) for trial in unbroken.search.study.get_trials())
    for kill in range(seeds, events, 1 if seeds == 1 else 3):
        storage, again = FailingStorage(), Disk(stop_early=stop_early)
        place = tmp_path / str(kill)
        first = search(place, storage=storage, seeds=seeds, sampling=sampler(name))
        drive(first, again, events=kill)
        second = search(place, storage=storage, seeds=seeds, sampling=sampler(name))
        second.search.resume_trials()
        drive(second, again)
        assert table(second) == expected, kill
        assert len(set(again.trained)) == len(again.trained), kill  # none twice
        assert set(again.trained) == set(disk.trained), kill


@pytest.mark.parametrize("seeds", [2, 3])
def test_trials_whose_runs_stop_early_at_different_epochs_come_to_their_end(
    tmp_path: Path, seeds: int
) -> None:
    for seed in range(4):
        order = Random(seed)
        parts = search(tmp_path / str(seed), slots=2, seeds=seeds, budget=1.0)
        disk = Disk(stop_early=True)
        drive(parts, disk, order=order)
        assert parts.states() == ["COMPLETE"] * TRIALS
        assert len(set(disk.trained)) == len(disk.trained)


@pytest.mark.parametrize("slots", [1, 2, 3, 8])
@pytest.mark.parametrize("seeds", [1, 3])
def test_with_any_number_of_workers_the_winner_is_whole_and_the_budget_kept(
    tmp_path: Path, slots: int, seeds: int
) -> None:
    for seed in range(4):
        parts, disk = search(tmp_path / str(seed), slots=slots, seeds=seeds), Disk()
        drive(parts, disk, order=Random(seed))
        trials = parts.search.study.get_trials()
        assert len(set(disk.trained)) == len(disk.trained)
        assert len(disk.trained) <= 0.5 * TRIALS * EPOCHS * seeds
        assert len(trials) == TRIALS
        best = min(trials, key=lambda t: min(t.intermediate_values.values()))
        assert best.state.name == "COMPLETE"
        assert best.value == parts.search.study.best_value
        for trial in trials:
            if is_paused(trial):
                assert trial.user_attrs["paused"] == trial.last_step
                place = f"{trial.number}" if seeds == 1 else f"{trial.number}/seed_{seeds - 1}"
                assert parts.status(place) == "paused"


def test_a_larger_budget_or_more_trials_take_paused_trials_up_again(tmp_path: Path) -> None:
    storage, disk = FailingStorage(), Disk()
    spent = []
    for budget, trials in ((0.4, TRIALS), (0.7, TRIALS), (0.7, 12), (1.0, 12)):
        parts = search(tmp_path, storage=storage, budget=budget, trials=trials)
        assert parts.search.resume_trials() == 0  # paused ones are nobody's orphans
        drive(parts, disk)
        spent.append(len(disk.trained))
        assert len(disk.trained) <= budget * trials * EPOCHS
    assert spent == sorted(set(spent))
    assert spent[-1] == 12 * EPOCHS
    assert parts.states() == ["COMPLETE"] * 12


@pytest.mark.parametrize("seeds", [1, 2])
def test_a_pruner_that_pauses_nothing_trains_paused_trials_to_their_end(
    tmp_path: Path, seeds: int
) -> None:
    storage, disk = FailingStorage(), Disk()
    drive(search(tmp_path, storage=storage, seeds=seeds), disk)
    plain = make(tmp_path, storage=storage, seeds=seeds, n_trials=TRIALS)
    assert plain.search.resume_trials() == 0
    drive(plain, disk)
    assert plain.states() == ["COMPLETE"] * TRIALS
    assert len(set(disk.trained)) == len(disk.trained) == TRIALS * EPOCHS * seeds


def test_a_search_with_the_whole_budget_is_the_search_that_pauses_nothing(tmp_path: Path) -> None:
    whole, disk = search(tmp_path / "whole", budget=1.0), Disk()
    drive(whole, disk)
    plain = make(tmp_path / "plain", n_trials=TRIALS)
    drive(plain, Disk())
    assert [row[:4] for row in table(whole)] == [row[:4] for row in table(plain)]
    assert len(disk.trained) == TRIALS * EPOCHS


@pytest.mark.parametrize("whole", [True, False])
def test_what_ended_a_search_is_what_keeps_it_from_going_on(tmp_path: Path, *, whole: bool) -> None:
    time_left = [math.inf]
    parts, disk = search(tmp_path, time_left=lambda: time_left[0]), Disk()
    drive(parts, disk, events=None if whole else 2 * TRIALS)
    time_left[0] = 0.0
    drive(parts, disk)
    assert "COMPLETE" in parts.states()
    assert any(map(is_paused, parts.search.study.get_trials()))
    write_results(tmp_path, [parts.search])
    ended_by = OmegaConf.load(tmp_path / "optimization_results.yaml").ended_by
    assert ended_by == ("budget" if whole else "timeout")
