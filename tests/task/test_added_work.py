"""What is typed beside ``resume=latest`` may give a finished search more to do."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from cnnsweep.errors import UserError
from cnnsweep.folders.run_folder import STATUSES, RunFolder
from cnnsweep.folders.sweep_folder import (
    BUDGET,
    ENDED_BY,
    NO_POINTS,
    NO_TRIALS,
    TIMEOUT,
    SweepFolder,
)
from cnnsweep.task.added_work import adds_work, is_unfinished
from cnnsweep.task.folder_lines import SWEEP_DIR
from cnnsweep.task.resume import _latest

KEY = "hydra.sweeper.pruner.budget"


def search(
    folder: Path, budget: Any, ended_by: str | None, epochs: list[int], subfolders: tuple[str, ...]
) -> Path:
    """A search of ten trials of six epochs, or one for each subfolder; the epochs that each had."""
    folder.mkdir(parents=True)
    target = "cnnsweep.sweep.sweeper.CnnSweeper"
    sweeper = {"_target_": target, "n_trials": 10, "pruner": {"_target_": "x", "budget": budget}}
    hydra = {
        "sweeper": sweeper,
        "verbose": False,
        "runtime": {"choices": {"hydra/sweeper": "optuna"}},
        "overrides": {"hydra": [f"{KEY}={budget}"], "task": []},
        "launcher": {},
    }
    (folder / "multirun.yaml").write_text(yaml.safe_dump({"epochs": 6, "hydra": hydra}))
    results: dict[str, Any] = {"best_params": {}, ENDED_BY: ended_by}
    if ended_by is not None:
        whole = dict.fromkeys(subfolders, results) if subfolders != ("",) else results
        SweepFolder(folder).results.write_text(yaml.safe_dump(whole))
    for name in subfolders:
        for number, done in enumerate(epochs):
            run = RunFolder(folder / name / str(number))
            run.path.mkdir(parents=True)
            run.write_result({"status": "completed" if done == 6 else "paused", "epochs": done})
    confirmation = RunFolder(folder / "confirm" / "1001")  # spends nothing of the budget
    confirmation.path.mkdir(parents=True)
    confirmation.write_result({"status": "completed", "epochs": 6})
    return folder


@pytest.mark.parametrize("subfolders", [("",), ("simple", "resnet")])
@pytest.mark.parametrize("recorded", ["auto", 0.3, 1])
@pytest.mark.parametrize("typed", ["auto", 0.2, 0.4, 1, None])
def test_a_larger_budget_adds_epochs_to_what_a_budget_ended(
    tmp_path: Path, recorded: Any, typed: Any, subfolders: tuple[str, ...]
) -> None:
    spent = [6, 6, *[1] * 6, 0, 0]  # 0.3 of all
    known = {} if typed is None else {KEY: str(typed)}
    for ended_by in (BUDGET, NO_TRIALS, NO_POINTS, TIMEOUT, None):
        folder = search(tmp_path / str(ended_by), recorded, ended_by, spent, subfolders)
        is_more = typed == "auto" and recorded != "auto"
        if isinstance(typed, float | int):
            is_more = typed > (0.3 if recorded == "auto" else recorded)
        assert adds_work(folder, known) == (ended_by == BUDGET and is_more), ended_by
        assert is_unfinished(folder) == (ended_by in (TIMEOUT, None))


@pytest.mark.parametrize(
    ("typed", "is_more"),
    [
        ({"hydra/sweeper/pruner": "none"}, True),
        ({"hydra/sweeper/pruner": "freeze_thaw"}, False),
        ({"hydra.sweeper.n_trials": "11"}, True),
        ({"hydra.sweeper.n_trials": "10"}, False),
        ({"hydra.sweeper.n_trials": "ten"}, False),
        ({"optim.lr": "1"}, False),
    ],
)
def test_so_do_more_trials_and_a_pruner_that_pauses_nothing(
    tmp_path: Path, typed: dict[str, str], is_more: bool
) -> None:
    assert adds_work(search(tmp_path / "s", "auto", BUDGET, [6, 1], ("",)), typed) == is_more


def test_latest_is_the_newest_search_that_has_more_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    day = Path("multirun") / "2026-05-01"
    small = search(day / "10-00-00", 0.3, BUDGET, [6, 1], ("",))
    search(day / "11-00-00", 1, NO_TRIALS, [6] * 10, ("",))
    assert _latest(SWEEP_DIR, ["--multirun", "resume=latest", f"{KEY}=0.5"]) == small
    with pytest.raises(UserError, match=r"or a search that a budget below 0\.2 has ended"):
        _latest(SWEEP_DIR, ["--multirun", "resume=latest", f"{KEY}=0.2"])


@pytest.mark.parametrize("status", STATUSES)
def test_only_an_interrupted_run_is_unfinished_by_itself(tmp_path: Path, status: str) -> None:
    run = RunFolder(tmp_path)
    run.write_config({"epochs": 2})
    assert is_unfinished(tmp_path)
    run.write_result({"status": status})
    assert is_unfinished(tmp_path) == (status == "interrupted")


@pytest.mark.parametrize(
    ("recorded", "typed", "adds"),
    [(2, "3", True), (2, "2", False), (3, "2", False), (1, "3", False), (None, "3", False),
     (2, "many", False)],
)  # fmt: skip
def test_more_searches_add_work_to_several(
    tmp_path: Path, recorded: int | None, typed: str, adds: bool
) -> None:
    folder = search(tmp_path / "a", 0.3, "n_trials", [6] * 10, ("search_0", "search_1"))
    config = yaml.safe_load((folder / "multirun.yaml").read_text())
    if recorded is not None:
        config["hydra"]["sweeper"]["searches"] = recorded
    (folder / "multirun.yaml").write_text(yaml.safe_dump(config))
    assert adds_work(folder, {"hydra.sweeper.searches": typed}) == adds
