"""The sweep folder's names are those that folders of earlier releases have."""

from pathlib import Path

import pytest

from cnnsweep.errors import UserError
from cnnsweep.folders import sweep_folder
from cnnsweep.folders.run_folder import RunFolder
from cnnsweep.folders.sweep_folder import (
    SWEEP_MARKS,
    SweepFolder,
    ends,
    is_confirmation,
    is_search_trial,
    results_below,
    seed_runs,
    sweep_around,
)
from cnnsweep.report.read.find import find

STORED = {
    "SWEEP_CONFIG": "multirun.yaml",
    "RESULTS": "optimization_results.yaml",
    "JOURNAL": "study.journal",
    "SEED": "seed_",
    "SEARCH": "search_",
    "CONFIRM": "confirm",
    "FORMER_CONFIRM": "confirm-of-{}",
    "REPORT": "report",
    "HOSTS": ".hosts",
    "MUTEXES": ".hosts/mutexes",
    "WORKERS": ".workers",
    "TOKEN": "token",
    "WORKER_LOG": "{}.log",
    "LAUNCHER_LOG": "launcher_{}.log",
    "LAUNCHER_JOB": "job_{}_{}",
}


def test_names_are_those_of_stored_folders() -> None:
    assert {name: getattr(sweep_folder, name) for name in STORED} == STORED


def test_a_trial_is_one_run_or_several() -> None:
    sweep = SweepFolder(Path("sweep"))
    assert sweep.run(7) == Path("sweep/7")
    assert sweep.run(7, 0) == Path("sweep/7/seed_0")


def test_names_below_a_sweep_are_relative_where_the_sweep_is() -> None:
    assert str(SweepFolder(Path()).run(7)) == "7"
    assert str(SweepFolder(Path("lenet")).confirmation(3)) == "lenet/confirm/3"


def test_runs_of_a_trial_come_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    sweep = SweepFolder(tmp_path)
    runs = [sweep.run(0, k) for k in range(12)]
    for folder in (*reversed(runs), tmp_path / "0" / "seed_copy"):
        folder.mkdir(parents=True)
    assert seed_runs(tmp_path / "0") == runs
    assert seed_runs(tmp_path) == []


@pytest.mark.parametrize(
    ("run", "confirms"),
    [("confirm/3", True), ("lenet/confirm/3", True), ("3", False), ("3/seed_1", False),
     ("confirm-of-2/3", False), ("my_confirm/3", False)],
)  # fmt: skip
def test_a_confirmation_run_is_known_by_its_place(run: str, confirms: bool) -> None:
    assert is_confirmation(Path(run)) is confirms


def test_runs_with_a_tracker_are_found_at_any_depth(tmp_path: Path) -> None:
    sweep = SweepFolder(tmp_path)
    runs = [sweep.run(0), sweep.run(1, 2), sweep.confirmation(5)]
    for run in (*runs, tmp_path):  # the sweep has a lock of its own
        lock = RunFolder(run).tracker_lock("wandb")
        lock.parent.mkdir(parents=True)
        lock.touch()
    assert sorted(sweep.tracked("wandb")) == sorted(runs)
    assert list(sweep.tracked("mlflow")) == []


def test_a_run_that_is_being_made_longer_is_found_once(tmp_path: Path) -> None:
    for place in ("0", "0/.longer", "1/seed_0", "1/seed_0/.lengthened", "1"):
        folder = tmp_path / place
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "result.json").write_text("{}")
    assert sorted(map(str, results_below(tmp_path))) == ["0", "1", "1/seed_0"]


def test_results_are_none_until_the_search_is_over(tmp_path: Path) -> None:
    sweep = SweepFolder(tmp_path)
    assert sweep.read_results() is None
    sweep.results.write_text("name: optuna\nbest_folder: null\n")
    assert sweep.read_results() == {"name": "optuna", "best_folder": None}
    sweep.results.write_text("- 1\n")
    with pytest.raises(UserError, match=r"optimization_results\.yaml is damaged"):
        sweep.read_results()


@pytest.mark.parametrize("mark", SWEEP_MARKS)
def test_a_report_takes_a_folder_with_any_of_a_sweeps_files_for_one(
    tmp_path: Path, mark: str
) -> None:
    (tmp_path / mark).touch()
    run = SweepFolder(tmp_path).run(0)
    run.mkdir()
    RunFolder(run).result.touch()
    (found,) = find([tmp_path]).runs
    assert (found.folder, found.sweep) == (run, tmp_path)


def one(ended_by: str) -> dict[str, object]:
    return {"best_params": {}, "ended_by": ended_by}


def test_what_ended_searches_is_told_at_any_depth() -> None:
    several = {"search_0": one("n_trials"), "search_1": one("timeout")}
    assert ends({"name": "optuna"} | one("budget")) == {"budget"}
    assert ends({"name": "optuna"} | several) == {"n_trials", "timeout"}
    compared = {"resnet": several, "lenet": {"search_0": one("points")}}
    assert ends({"name": "optuna"} | compared) == {"n_trials", "timeout", "points"}


@pytest.mark.parametrize(
    "place", ["3", "search_1/3/seed_0", "resnet/search_1/3/seed_0", "resnet/search_1/confirm/1001"]
)
def test_the_sweep_around_a_run_is_found_from_any_search(place: str, tmp_path: Path) -> None:
    (tmp_path / "multirun.yaml").write_text("")
    assert sweep_around(tmp_path / place) == tmp_path


@pytest.mark.parametrize(
    ("place", "is_trial"),
    [("resnet/search_1/3", True), ("resnet/search_1/confirm/1001", False), ("search_1", False)],
)
def test_a_trial_is_known_below_its_search(place: str, is_trial: bool) -> None:
    assert is_search_trial(Path(place)) == is_trial
