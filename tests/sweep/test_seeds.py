"""Several seeds a trial, an honest winner, and several objectives."""

import shutil
from pathlib import Path
from statistics import mean

import pytest
from omegaconf import DictConfig, OmegaConf
from optuna.trial import TrialState

from cnnsweep.folders.run_folder import RunFolder
from cnnsweep.sweep.study.confirmation import spread
from tests.sweep.sweep_commands import TOY, TOY_SPACE, Done, study, sweep

SEEDS = ("hydra.sweeper.seeds=3", "hydra.sweeper.confirm=2", "hydra.sweeper.n_trials=10")


@pytest.fixture(scope="module")
def seeded(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Done]:
    folder = tmp_path_factory.mktemp("seeds") / "sweep"
    return folder, sweep(TOY, folder, *TOY_SPACE, *SEEDS, "epoch_seconds=0")


def result(run: Path) -> dict[str, object]:
    recorded = RunFolder(run).read_result()
    assert recorded is not None
    return recorded


def results_file(folder: Path) -> DictConfig:
    loaded = OmegaConf.load(folder / "optimization_results.yaml")
    assert isinstance(loaded, DictConfig)
    return loaded


def test_a_trial_s_objective_is_the_mean_over_its_seeds(seeded: tuple[Path, Done]) -> None:
    folder, done = seeded
    assert done.code == 0, done.text
    completed = study(folder).get_trials(states=(TrialState.COMPLETE,))
    assert len(completed) >= 5  # which the pruner needs before it prunes any
    for trial in completed:
        runs = [result(folder / f"{trial.number}/seed_{k}") for k in range(3)]
        assert [run["seed"] for run in runs] == [0, 1, 2]
        assert trial.value == pytest.approx(mean(float(str(run["objective"])) for run in runs))
        whole = result(folder / str(trial.number))
        assert whole["objective"] == pytest.approx(trial.value)
        assert (whole["status"], whole["seeds"]) == ("completed", [0, 1, 2])


def test_no_seed_is_spent_on_a_trial_that_is_losing(seeded: tuple[Path, Done]) -> None:
    folder, _ = seeded
    pruned = study(folder).get_trials(states=(TrialState.PRUNED,))
    assert pruned
    for trial in pruned:
        runs = list((folder / str(trial.number)).glob("seed_*"))
        assert len(runs) == trial.last_step
        assert len(runs) < 3
        assert result(folder / str(trial.number))["status"] == "pruned"


def test_only_the_winner_s_fresh_runs_read_the_test_split(seeded: tuple[Path, Done]) -> None:
    folder, done = seeded
    searched = [result(run) for run in folder.glob("[0-9]*/seed_*")]
    confirmed = [result(run) for run in sorted((folder / "confirm").glob("*"))]
    assert {run["test_loss"] for run in searched} == {None}
    assert [run["seed"] for run in confirmed] == [3, 4]
    assert None not in [run["test_loss"] for run in confirmed]
    assert "validation best" in done.text
    states = [trial.state for trial in study(folder).trials]
    completed, pruned = states.count(TrialState.COMPLETE), states.count(TrialState.PRUNED)
    counted = f"best of {completed + pruned} trials: {completed} completed, {pruned} pruned"
    assert f"({counted}) · test 0.1000 (n = 2)" in done.text


def test_the_results_name_the_best_trial_and_its_folder(seeded: tuple[Path, Done]) -> None:
    folder, _ = seeded
    written, best = results_file(folder), study(folder).best_trial
    assert written.name == "optuna"
    assert (written.best_value, written.best_trial) == (best.value, best.number)
    assert dict(written.best_params) == best.params
    assert written.best_folder == str(folder / str(best.number))


@pytest.fixture
def own(seeded: tuple[Path, Done], tmp_path: Path) -> Path:
    """A copy of the sweep folder, to go on with."""
    return Path(shutil.copytree(seeded[0], tmp_path / "sweep"))


def made(confirmation: Path) -> dict[str, int]:
    """When each run below a folder like ``confirm/`` came to its end."""
    return {run.name: (run / "result.json").stat().st_mtime_ns for run in confirmation.glob("*")}


def one_more_trial(folder: Path, **params: float) -> None:
    study(folder).enqueue_trial(params)
    more = ("epoch_seconds=0", "hydra.sweeper.n_trials=11")
    done = sweep(TOY, folder, *TOY_SPACE, *SEEDS[:2], *more)
    assert done.code == 0, done.text
    assert study(folder).trials[10].params == params


def test_a_better_trial_is_another_winner_and_the_former_ones_runs_stay_apart(own: Path) -> None:
    former, runs = study(own).best_trial.number, made(own / "confirm")
    assert study(own).user_attrs["confirmed"] == former
    one_more_trial(own, lr=0.5, momentum=0.0)  # the minimum in a single step
    assert study(own).best_trial.number == study(own).user_attrs["confirmed"] == 10
    assert [path.name for path in own.glob("confirm-of-*")] == [f"confirm-of-{former}"]
    assert made(own / f"confirm-of-{former}") == runs
    assert len(made(own / "confirm")) == len(runs) == 2


def test_a_worse_trial_leaves_the_winner_and_its_runs(own: Path) -> None:
    former, runs = study(own).best_trial.number, made(own / "confirm")
    one_more_trial(own, lr=0.001, momentum=1.0)  # hardly a step
    assert study(own).best_trial.number == study(own).user_attrs["confirmed"] == former
    assert list(own.glob("confirm-of-*")) == []
    assert made(own / "confirm") == runs
    assert len(runs) == 2


def test_several_objectives_give_a_front(tmp_path: Path) -> None:
    objectives = "objective=[val_loss,images_per_second]"
    settings = ("hydra.sweeper.n_trials=6", "epoch_seconds=0")
    done = sweep(TOY, tmp_path / "sweep", *TOY_SPACE, objectives, *settings)
    assert done.code == 0, done.text
    loaded = study(tmp_path / "sweep")
    assert [d.name for d in loaded.directions] == ["MINIMIZE", "MAXIMIZE"]
    solutions = results_file(tmp_path / "sweep").solutions
    assert [s.trial for s in solutions] == [t.number for t in loaded.best_trials]
    assert [list(s["values"]) for s in solutions] == [t.values for t in loaded.best_trials]
    assert f"Pareto front: {len(solutions)} of 6 trials" in done.text


def test_a_spread_says_its_n() -> None:
    assert spread([0.988, 0.99]) == "0.9890 (n = 2)"
    assert spread([0.988, 0.99, 0.992]) == "0.9900 ± 0.0050 (n = 3)"
    assert spread([0.988]) == "0.9880 (n = 1)"
