"""One bad trial costs one trial: every kind of failure, and what ends a sweep early."""

import json
from pathlib import Path

import pytest
from optuna.trial import TrialState

from cnnsweep.folders.run_folder import RunFolder
from cnnsweep.sweep.spec.failure_policy import FailureWatch
from cnnsweep.sweep.spec.formatting import cause_of
from cnnsweep.training.trainer import Diverged
from tests.sweep.sweep_commands import TOY, TOY_SPACE, Done, study, sweep

CAUSES = {
    "raise": "RuntimeError: a mishap at lr 0.1",
    "exit": "its process ended with exit code 3",
    "SIGKILL": "its process was killed by SIGKILL (out of memory?)",
    "SIGSEGV": "its process was killed by SIGSEGV",
    "memory": "MemoryError",
    "no_number": "the objective is NaN",
    "hang": "timed out: hydra.sweeper.trial_timeout=2 s",
}


@pytest.fixture(scope="module")
def matrix(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Done]:
    folder = tmp_path_factory.mktemp("matrix") / "sweep"
    mishaps = f"mishap=none,{','.join(CAUSES)}"
    settings = ("hydra/sweeper/sampler=grid", "hydra.sweeper.trial_timeout=2", "epochs=2")
    return folder, sweep(TOY, folder, mishaps, *settings)


def test_a_sweep_goes_on_past_every_kind_of_failure(matrix: tuple[Path, Done]) -> None:
    folder, done = matrix
    assert done.code == 0, done.text
    states = {t.params["mishap"]: t.state for t in study(folder).trials}
    assert states.pop("none") is TrialState.COMPLETE
    assert set(states) == set(CAUSES)
    assert set(states.values()) == {TrialState.FAIL}


@pytest.mark.parametrize("mishap", CAUSES)
def test_a_failure_has_its_cause_in_the_study_the_folder_and_the_terminal(
    matrix: tuple[Path, Done], mishap: str
) -> None:
    folder, done = matrix
    trial = next(t for t in study(folder).trials if t.params["mishap"] == mishap)
    run = folder / str(trial.number)
    result = RunFolder(run).read_result()
    assert result is not None
    assert (result["status"], result["error"]) == ("failed", CAUSES[mishap])
    assert trial.user_attrs["error"] == CAUSES[mishap]
    line = f"trial {trial.number}: failed: {CAUSES[mishap]}; its log: {run}/toy.log ("
    assert any(said.startswith(line) for said in done.text.splitlines())


def test_what_a_trial_prints_is_in_its_own_log_once(matrix: tuple[Path, Done]) -> None:
    folder, done = matrix
    crashed = next(t for t in study(folder).trials if t.params["mishap"] == "SIGSEGV")
    raised = next(t for t in study(folder).trials if t.params["mishap"] == "raise")
    assert "Segmentation fault" in (folder / str(crashed.number) / "toy.log").read_text()
    log = (folder / str(raised.number) / "toy.log").read_text()
    assert log.count("RuntimeError: a mishap") == 1
    assert "Traceback" not in done.text


def test_a_dead_worker_s_trial_is_taken_up_again_once(matrix: tuple[Path, Done]) -> None:
    folder, _ = matrix
    deaths = {t.params["mishap"]: t.user_attrs.get("deaths", 0) for t in study(folder).trials}
    assert deaths == dict.fromkeys(["none", *CAUSES], 0) | {"exit": 1, "SIGKILL": 1, "SIGSEGV": 1}


def test_an_error_while_composing_ends_its_own_trial(tmp_path: Path) -> None:
    done = sweep(
        TOY,
        tmp_path / "sweep",
        "lr=interval(0.1, 0.5)",
        "hydra.sweeper.custom_search_space=tests.sweep.toy.spaces.misspell_once",
        "hydra.sweeper.n_trials=3",
        "hydra.sweeper.n_jobs=1",
        CNNSWEEP_ALLOW="tests.sweep.toy.*",
    )
    assert done.code == 0, done.text
    trials = study(tmp_path / "sweep").trials
    assert [t.state.name for t in trials] == ["COMPLETE", "FAIL", "COMPLETE"]
    assert "Did you mean 'momentum'?" in trials[1].user_attrs["error"]
    assert json.loads((tmp_path / "sweep/1/result.json").read_text())["status"] == "failed"


def test_five_failures_in_a_row_with_one_cause_end_the_sweep(tmp_path: Path) -> None:
    settings = (*TOY_SPACE, "mishap=raise", "hydra.sweeper.n_jobs=1")
    done = sweep(TOY, tmp_path / "sweep", *settings)
    assert done.code != 0
    assert "5 trials in a row failed for the same cause" in done.text
    assert len(study(tmp_path / "sweep").trials) == 5


def test_too_large_a_share_of_failures_ends_the_sweep_which_can_go_on(tmp_path: Path) -> None:
    settings = ("hydra/sweeper/sampler=grid", "mishap=raise,none", "hydra.sweeper.n_jobs=1")
    folder = tmp_path / "sweep"
    done = sweep(TOY, folder, *settings, "hydra.sweeper.max_failure_rate=0.4")
    assert done.code != 0
    assert "hydra.sweeper.max_failure_rate=0.4 allows" in done.text
    again = sweep(TOY, folder, *settings)
    assert again.code == 0, again.text
    assert sorted(t.state.name for t in study(folder).trials) == ["COMPLETE", "FAIL"]


@pytest.mark.parametrize("others", [0, 1])
@pytest.mark.parametrize("error", [Diverged("the loss became nan"), OSError("No space left")])
def test_a_row_that_diverges_ends_a_search_only_where_none_has_learned(
    others: int, error: Exception
) -> None:
    failed = 0
    watch = FailureWatch(1.0, lambda: (failed, failed + others))
    stopped = None
    while failed < 20 and stopped is None:
        failed += 1
        stopped = watch.failed(cause_of(error), str(error))
    is_of_settings = others > 0 and isinstance(error, Diverged)
    assert failed == (20 if is_of_settings else 5)
    assert (stopped is None) == is_of_settings


@pytest.mark.parametrize("stack", [1, 4, 64])
def test_a_row_of_failures_is_longer_than_the_trials_that_train_side_by_side(stack: int) -> None:
    watch = FailureWatch(1.0, lambda: (0, 0), stack)
    for _ in range(stack + 3):
        assert watch.failed("diverged", "the loss became nan") is None
    stopped = watch.failed("diverged", "the loss became nan")
    assert f"{stack + 4} trials in a row failed for the same cause" in str(stopped)
