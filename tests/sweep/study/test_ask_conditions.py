"""Trials that differ in which parameters they have: drawn, interrupted, gone through."""

from collections.abc import Mapping
from typing import Any

import optuna
import pytest
from omegaconf import DictConfig
from optuna.distributions import CategoricalDistribution, FloatDistribution
from optuna.trial import FrozenTrial, TrialState

from cnnsweep.errors import UserError
from cnnsweep.sweep.spec.plan import FOLDER
from cnnsweep.sweep.spec.samplers import Sampling, Space, note_on_conditions
from cnnsweep.sweep.spec.space.conditions import Condition
from cnnsweep.sweep.spec.space.points import identity
from cnnsweep.sweep.study.ask import Asker
from tests.sweep.spec.space.made_spaces import made_params, made_space, points_by_hand
from tests.sweep.study.studies import make_study, running, sampler, small_asker
from tests.sweep.study.test_ask import SAMPLERS as OF_ALL_SPACES
from tests.sweep.study.test_ask import interrupt

SAMPLERS = {
    **OF_ALL_SPACES,
    "tpe": sampler("TPESampler", n_startup_trials=3, group="auto", multivariate=None),
    "gp": sampler("GPSampler", n_startup_trials=3, deterministic_objective=True),
    "nsgaiii": sampler("NSGAIIISampler", population_size=3),
}
LEARNING = [name for name in SAMPLERS if name != "grid"]
SPACE: Space = {
    "optim": CategoricalDistribution(["sgd", "adam"]),
    "lr": FloatDistribution(1e-4, 1, log=True),
    "decay": FloatDistribution(0, 1),
    "momentum": FloatDistribution(0, 1),
    "is_nesterov": CategoricalDistribution([True, False]),
    "start": FloatDistribution(0, 1),
}
CONDITIONS: Mapping[str, Condition] = {
    "momentum": {"optim": ("sgd",)},
    "is_nesterov": {"optim": ("sgd",)},
    "start": {"is_nesterov": (True,)},
}
pytestmark = pytest.mark.filterwarnings("ignore::optuna.exceptions.ExperimentalWarning")


def asker(study: optuna.Study, config: DictConfig) -> Asker:
    return small_asker(study, config, SPACE, conditions=CONDITIONS)


def value(trial: FrozenTrial) -> float:
    """Best with momentum at 0.8."""
    params = trial.params
    return float((params.get("momentum", 0.0) - 0.8) ** 2 + params["decay"] + params["lr"])


def run_trials(study: optuna.Study, config: DictConfig, count: int) -> list[Mapping[str, Any]]:
    for _ in range(count):
        trial = asker(study, config).ask()
        study.tell(trial.number, value(trial))
    return [trial.params for trial in study.trials]


@pytest.mark.parametrize("name", LEARNING)
def test_each_trial_has_its_active_parameters_and_any_process_proposes_the_same(name: str) -> None:
    whole = run_trials(make_study(), SAMPLERS[name], 12)
    for params in whole:
        names = {"optim", "lr", "decay"}
        names |= {"momentum", "is_nesterov"} if params["optim"] == "sgd" else set()
        names |= {"start"} if params.get("is_nesterov") else set()
        assert params.keys() == names
    assert len({frozenset(params) for params in whole}) > 1
    assert run_trials(make_study(), SAMPLERS[name], 12) == whole


@pytest.mark.parametrize("name", LEARNING)
def test_an_interrupted_proposal_is_made_again_with_the_same_values(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for count in (3, 7, 8, 9):
        expected = run_trials(make_study(), SAMPLERS[name], count + 1)[-1]
        broken = make_study()
        run_trials(broken, SAMPLERS[name], count)
        interrupt(asker(broken, SAMPLERS[name]), monkeypatch)
        assert len(running(broken).params) == 1
        again = asker(broken, SAMPLERS[name]).ask_again(running(broken))
        assert again.params == expected
        assert again.user_attrs[FOLDER] == str(count)


def test_what_tpe_learned_of_some_trials_it_uses_where_they_are_alike() -> None:
    params = run_trials(make_study(), SAMPLERS["tpe"], 80)[50:]
    near = [abs(one["momentum"] - 0.8) < 0.2 for one in params if "momentum" in one]
    assert sum(near) > len(near) * 0.6
    assert len(near) > 15  # of those that have it, which it found to be better


def test_cma_es_goes_on_with_what_all_trials_have() -> None:
    """By itself it falls back to chance for ever once a trial lacks what the first ones had."""
    study = make_study()
    study.enqueue_trial({"optim": "sgd", "lr": 0.5, "decay": 0.9, "momentum": 0.1})
    params = run_trials(study, SAMPLERS["cmaes"], 60)
    assert sum(one["decay"] for one in params[40:]) / 20 < 0.3
    assert any("cma:" in key for key in study.trials[-1].system_attrs)


def test_points_of_a_sequence_leave_out_what_is_inactive() -> None:
    study = make_study()
    params = run_trials(study, SAMPLERS["qmc"], 32)[16:]
    quarters = [sum(int(one["decay"] * 4) == k for one in params) for k in range(4)]
    assert quarters == [4, 4, 4, 4]


@pytest.mark.parametrize("name", SAMPLERS)
@pytest.mark.parametrize("seed", range(5))
def test_every_active_combination_is_tried_once(name: str, seed: int) -> None:
    params = made_params(seed, most=4)
    by_hand = {identity(point) for point in points_by_hand(params)}
    try:
        space = made_space(params)
    except UserError:  # never active together
        pytest.skip("can never hold")
    study = make_study()
    for goes_through in (True, False):
        study = make_study()
        asked = small_asker(
            study, SAMPLERS[name], space.distributions, conditions=space.conditions,
            wanted=999 if goes_through else 1,
        )  # fmt: skip
        for number in range(min(len(by_hand), 24)):
            assert not asked.is_gone_through()
            trial = asked.ask()
            assert set(space.active(trial.params)) == trial.params.keys()
            if number % 2:
                study.tell(trial.number, state=TrialState.FAIL)
        found = {identity(trial.params) for trial in study.trials}
        assert len(found) == len(study.trials)
        assert found == by_hand or len(by_hand) > 24
        assert asked.is_gone_through() == (found == by_hand)


def test_samplers_that_leave_conditional_parameters_to_chance_say_so() -> None:
    made = {
        name: Sampling(config, 0, SPACE, 9, conditional=("momentum",)).sampler_for(0)
        for name, config in SAMPLERS.items()
    }
    said = {name: note_on_conditions(sampler, ["momentum"]) for name, sampler in made.items()}
    assert {name for name, line in said.items() if line} == {"cmaes", "gp", "nsgaii", "nsgaiii"}
    assert "momentum is drawn at random; hydra/sweeper/sampler=tpe" in str(said["gp"])
    assert note_on_conditions(made["gp"], []) is None
