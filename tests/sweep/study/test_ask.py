"""A proposal depends on the study's seed, the trial's number and the finished trials alone."""

from typing import Any

import optuna
import pytest
from omegaconf import DictConfig, OmegaConf

from cnnsweep.sweep.study.ask import FOLDER
from tests.sweep.study.studies import SPACE, asker, make_study, run_trials, running, sampler

SAMPLERS = {
    "random": sampler("RandomSampler"),
    "tpe": sampler("TPESampler", n_startup_trials=3),
    "tpe multivariate": sampler("TPESampler", n_startup_trials=3, multivariate=True),
    "cmaes": sampler("CmaEsSampler"),
    "nsgaii": sampler("NSGAIISampler", population_size=3),
    "qmc": OmegaConf.create(
        {"_target_": "cnnsweep.sweep.spec.samplers.NumberedPoints", "seed": None}
    ),
    "grid": sampler("GridSampler"),
}
pytestmark = pytest.mark.filterwarnings("ignore::optuna.exceptions.ExperimentalWarning")


@pytest.fixture(params=SAMPLERS)
def config(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> DictConfig:
    if request.param == "grid":
        steps = optuna.distributions.FloatDistribution(0.0, 1.0, step=0.25)
        monkeypatch.setitem(SPACE, "x", steps)
    return SAMPLERS[request.param]


def test_another_process_proposes_the_same(config: DictConfig) -> None:
    one, other = make_study(), make_study()
    whole = run_trials(one, config, 8)
    run_trials(other, config, 5)
    assert run_trials(other, config, 3) == whole


def test_an_interrupted_proposal_is_made_again_with_the_same_values(
    config: DictConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, broken = make_study(), make_study()
    expected = run_trials(whole, config, 7)[-1]
    run_trials(broken, config, 6)
    asked = asker(broken, config)
    interrupt_after_one_parameter(broken, config, monkeypatch)
    assert len(running(broken).params) == 1
    assert FOLDER not in running(broken).user_attrs
    again = asked.ask_again(running(broken))
    assert again.params == expected
    assert again.user_attrs[FOLDER] == "6"


class Killed(BaseException):
    pass


def interrupt_after_one_parameter(
    study: optuna.Study, config: DictConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ask, and die once the first parameter is stored."""
    store = study._storage.set_trial_param

    def store_and_die(*arguments: Any) -> None:
        store(*arguments)
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(study._storage, "set_trial_param", store_and_die)
        with pytest.raises(Killed):
            asker(study, config).ask()


def test_trials_of_several_workers_draw_different_points() -> None:
    study = make_study()
    asked = asker(study, SAMPLERS["qmc"])
    points = [asked.ask().params["x"] for _ in range(4)]
    assert len(set(points)) == 4


def test_a_waiting_trial_comes_first_under_its_own_number() -> None:
    study = make_study()
    study.enqueue_trial({"x": 0.5, "n": 3})
    trial = asker(study, SAMPLERS["random"]).ask()
    assert (trial.number, trial.params) == (0, {"x": 0.5, "n": 3})
