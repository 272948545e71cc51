"""Pruners: verdicts come out the same however often they are asked for."""

import optuna
import pytest
from hydra import compose, initialize_config_dir
from optuna.pruners import MedianPruner, SuccessiveHalvingPruner
from optuna.trial import TrialState

from cnnsweep.config import CONF_DIR
from cnnsweep.metric_names import Direction
from cnnsweep.sweep.study.pruning import StudyPruner, make_pruner, never_prunes
from tests.sweep.study.studies import make_study

NAMES = sorted(path.stem for path in (CONF_DIR / "hydra/sweeper/pruner").glob("*.yaml"))


def curve(start: float, epochs: int = 6) -> list[float]:
    return [start / epoch for epoch in range(1, epochs + 1)]


def run(study: optuna.Study, values: list[float]) -> int:
    """A trial that reports ``values``; how many epochs it was given."""
    pruner, trial = StudyPruner(study), study.ask()
    for step, value in enumerate(values, start=1):
        if pruner.should_prune(trial.number, step, value):
            study.tell(trial.number, state=TrialState.PRUNED)
            return step
    study.tell(trial.number, values[-1])
    return len(values)


def test_a_losing_trial_ends_and_a_winning_one_goes_on() -> None:
    study = make_study(MedianPruner(n_startup_trials=2, n_warmup_steps=3))
    assert [run(study, curve(1)), run(study, curve(2))] == [6, 6]
    assert run(study, curve(9)) == 3
    assert run(study, curve(0.5)) == 6
    assert study.trials[2].state is TrialState.PRUNED


def test_epochs_that_are_told_again_change_nothing() -> None:
    study = make_study(MedianPruner(n_startup_trials=1, n_warmup_steps=0))
    run(study, curve(1))
    pruner, trial = StudyPruner(study), study.ask()
    assert not pruner.should_prune(trial.number, 1, 0.5)
    assert not pruner.should_prune(trial.number, 2, 0.4)
    again = StudyPruner(study)
    assert not again.should_prune(trial.number, 1, 0.5)
    assert not again.should_prune(trial.number, 2, 0.4)
    assert again.should_prune(trial.number, 3, 99.0)
    assert study.trials[1].intermediate_values == {1: 0.5, 2: 0.4, 3: 99.0}


def test_a_verdict_that_was_not_acted_upon_is_found_again() -> None:
    study = make_study(SuccessiveHalvingPruner(min_resource=2, reduction_factor=2))
    for begin in (1, 2, 3, 4):
        run(study, curve(begin))
    pruner, trial = StudyPruner(study), study.ask()
    steps = enumerate(curve(50), start=1)
    verdicts = [pruner.should_prune(trial.number, s, v) for s, v in steps]
    assert True in verdicts
    last = verdicts.index(True) + 1
    other = study.ask()
    for step, value in enumerate(curve(50)[:last], start=1):
        StudyPruner(study).should_prune(other.number, step, value)
    assert StudyPruner(study).should_prune(other.number, last, curve(50)[last - 1])


LOSING = [99.0 + epoch for epoch in range(6)]
EPOCHS_OF_LOSERS = {
    "freeze_thaw": {6}, "halving": {2}, "hyperband": {1, 3}, "median": {4}, "none": {6},
    "patient": {4}, "percentile": {4}, "threshold": {4}, "wilcoxon": {4},
}  # fmt: skip


def of_conf(name: str, seeds: int = 1) -> optuna.Study:
    """A study with a pruner of conf/, after trials that it had to spare or to judge."""
    limits = ["hydra.sweeper.pruner.upper=9"] if name == "threshold" else []
    with initialize_config_dir(str(CONF_DIR)):
        config = compose(
            "config",
            ["hydra/sweeper=optuna", f"hydra/sweeper/pruner={name}", "epochs=6", *limits],
            return_hydra_config=True,
        )
    study = make_study(make_pruner(config.hydra.sweeper.pruner, seeds=seeds))
    assert run(study, curve(1)) == 6  # there is nothing to lose against
    for number in range(1, 12):
        run(study, curve(1 + number / 100))
    return study


def test_every_pruner_of_conf_has_its_line_here() -> None:
    assert [*EPOCHS_OF_LOSERS] == NAMES


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.filterwarnings("ignore::optuna.exceptions.ExperimentalWarning")
def test_every_pruner_of_conf_judges(name: str) -> None:
    study = of_conf(name)
    assert run(study, curve(0.5)) == 6
    assert {run(study, LOSING) for _ in range(8)} == EPOCHS_OF_LOSERS[name]
    assert run(study, curve(0.4)) == 6


@pytest.mark.filterwarnings("ignore::optuna.exceptions.ExperimentalWarning")
def test_a_patient_pruner_spares_what_still_improves() -> None:
    assert run(of_conf("median"), curve(8)) == 4
    assert run(of_conf("patient"), curve(8)) == 6


@pytest.mark.parametrize("name", ["median", "percentile"])
def test_with_several_seeds_there_is_no_warm_up_in_epochs(name: str) -> None:
    assert run(of_conf(name, seeds=1), LOSING) == 4
    assert run(of_conf(name, seeds=3), LOSING) == 1


MEDIAN = {"n_startup_trials": 5, "n_warmup_steps": 4}


@pytest.mark.filterwarnings("ignore::optuna.exceptions.ExperimentalWarning")
@pytest.mark.parametrize("direction", ["maximize", "minimize"])
@pytest.mark.parametrize(
    ("name", "keys", "steps", "trials", "idle"),
    [
        ("median", MEDIAN, 4, 20, True),
        ("median", MEDIAN, 5, 20, False),
        ("median", MEDIAN, 10, 5, True),
        ("median", MEDIAN, 10, 6, False),
        ("median", MEDIAN, 1000, 5, False),  # too many to rehearse
        ("percentile", MEDIAN, 4, 20, True),
        ("patient", {"patience": 12}, 12, 20, True),
        ("patient", {"patience": 2}, 12, 20, False),
        ("halving", {"min_resource": 4}, 4, 20, True),
        ("halving", {"min_resource": 4}, 5, 20, False),
        ("hyperband", {"min_resource": 3, "max_resource": 9}, 3, 20, True),
        ("hyperband", {"min_resource": 3, "max_resource": 9}, 9, 20, False),
        ("none", {}, 2, 2, False),
    ],
)
def test_a_pruner_that_can_end_nothing_early_is_found(
    name: str, keys: dict[str, int], steps: int, trials: int, idle: bool, direction: Direction
) -> None:
    with initialize_config_dir(str(CONF_DIR)):
        typed = [f"hydra.sweeper.pruner.{key}={value}" for key, value in keys.items()]
        words = ["hydra/sweeper=optuna", f"hydra/sweeper/pruner={name}", *typed]
        config = compose("config", words, return_hydra_config=True)
    pruner = make_pruner(config.hydra.sweeper.pruner, seeds=1)
    assert never_prunes(pruner, steps, trials, direction) is idle
