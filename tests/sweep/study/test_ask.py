"""A proposal depends on the study's seed, the trial's number and the finished trials alone."""

from decimal import Decimal
from random import Random
from typing import Any

import optuna
import pytest
from omegaconf import DictConfig, OmegaConf
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.trial import Trial, TrialState, create_trial

from cnnsweep.sweep.spec.optuna_internals import allow_stop
from cnnsweep.sweep.spec.plan import FOLDER
from cnnsweep.sweep.spec.samplers import Space
from cnnsweep.sweep.spec.space.points import count_points, identity
from cnnsweep.sweep.study.ask import Asker
from tests.sweep.study.studies import (
    SPACE,
    asker,
    make_study,
    run_trials,
    running,
    sampler,
    small_asker,
)

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
    interrupt(asker(broken, config), monkeypatch)
    assert len(running(broken).params) == 1
    assert FOLDER not in running(broken).user_attrs
    again = asked.ask_again(running(broken))
    assert again.params == expected
    assert again.user_attrs[FOLDER] == "6"


class Killed(BaseException):
    pass


def interrupt(asked: Asker, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ask, and die once the first parameter is stored."""
    storage = asked.study._storage
    store = storage.set_trial_param

    def store_and_die(*arguments: Any) -> None:
        store(*arguments)
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(storage, "set_trial_param", store_and_die)
        with pytest.raises(Killed):
            asked.ask()


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


TWICE_TWO: Space = {
    "model": CategoricalDistribution(["simple", "lenet"]),
    "optim": CategoricalDistribution(["sgd", "adam"]),
}
SMALL_SPACES: dict[str, Space] = {
    "choices": TWICE_TWO,
    "whole numbers": {"n": IntDistribution(2, 10, step=4), "k": IntDistribution(1, 4, log=True)},
    "steps": {
        "x": FloatDistribution(0.0, 0.3, step=0.1),
        "b": CategoricalDistribution([True, False]),
    },
    "equal choices": {"c": CategoricalDistribution(["null", 1, 1.0, "[1, 2]", "[1,2]", "null"])},
    "one value": {"x": FloatDistribution(0.5, 0.5), "n": IntDistribution(3, 3)},
}


@pytest.mark.parametrize("space", SMALL_SPACES.values(), ids=SMALL_SPACES)
@pytest.mark.parametrize("goes_through", [True, False])
@pytest.mark.parametrize("name", [name for name in SAMPLERS if name != "grid"])
def test_no_point_is_proposed_twice_and_the_last_is_found(
    name: str, goes_through: bool, space: Space
) -> None:
    study, points = make_study(), count_points(space)
    assert points is not None
    asked = small_asker(study, SAMPLERS[name], space, wanted=99 if goes_through else 1)
    for number in range(points):
        assert not asked.is_gone_through()
        trial = asked.ask()
        if number % 2:  # the others keep running
            study.tell(
                trial.number, state=TrialState.FAIL if number % 4 == 1 else TrialState.PRUNED
            )
    assert len({identity(trial.params) for trial in study.trials}) == points
    assert asked.is_gone_through()
    assert FOLDER not in asked.ask().user_attrs


def test_a_point_that_was_drawn_anew_is_the_same_after_a_death(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    space: Space = {"n": IntDistribution(0, 5), "m": IntDistribution(0, 1)}
    config = sampler("TPESampler", n_startup_trials=3)
    whole, broken = make_study(), make_study()
    for study in (whole, broken):
        asked = small_asker(study, config, space)
        for _ in range(8):
            study.tell(asked.ask().number, 0.0)
    expected = small_asker(whole, config, space).ask()
    asked = small_asker(broken, config, space)
    interrupt(asked, monkeypatch)
    assert len(running(broken).params) == 1
    assert asked.ask_again(running(broken)).params == expected.params


def test_points_drawn_by_a_function_are_not_drawn_twice_and_end() -> None:
    def extend(_config: DictConfig, trial: Trial) -> None:
        if trial.params["kind"] == "deep":
            trial.suggest_int("depth", 1, 3)

    space: Space = {"kind": CategoricalDistribution(["deep", "flat"])}
    study = make_study()
    asked = small_asker(study, SAMPLERS["tpe"], space, extend)
    trials = [asked.ask() for _ in range(4)]
    assert len({identity(trial.params) for trial in trials}) == 4
    assert FOLDER not in asked.ask().user_attrs


@pytest.mark.parametrize("seed", range(20))
def test_small_spaces_are_drawn_from_without_favour(seed: int) -> None:
    """The first of few trials look at every option of every choice."""
    study = make_study()
    space = TWICE_TWO | {"more": CategoricalDistribution(list(range(20)))}
    asked = small_asker(study, SAMPLERS["tpe"], space, seed=seed)
    trials = [asked.ask() for _ in range(12)]
    for name in TWICE_TWO:
        assert len({trial.params[name] for trial in trials}) == 2


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("name", SAMPLERS)
def test_what_is_drawn_in_steps_are_the_decimals_that_a_person_means(name: str, seed: int) -> None:
    draw = Random(f"{name} {seed}")
    step = Decimal(draw.choice([1, 2, 3, 7])).scaleb(-draw.randint(1, 4))
    low, number = step * draw.randint(-3, 3), draw.randint(5, 40)
    meant = [float(low + k * step) for k in range(number)]
    space = FloatDistribution(meant[0], meant[-1], step=float(step))
    study = make_study()
    allow_stop(study)
    wanted = number - draw.randint(0, 4)  # of all the points, chance decides
    asked = small_asker(study, SAMPLERS[name], {"x": space}, wanted=wanted)
    for _ in range(wanted):
        trial = asked.ask()
        study.tell(trial.number, trial.params["x"] ** 2)
    drawn = {trial.params["x"] for trial in study.trials}
    assert len(drawn) == wanted
    assert drawn <= set(meant)  # to the last bit


def test_a_study_that_has_what_floats_make_of_a_decimal_goes_on_with_it() -> None:
    """Of older code: its trials stay as they are, in their folders too, and count as the point."""
    space = FloatDistribution(0.1, 0.5, step=0.1)
    study = make_study()
    allow_stop(study)
    old, left = (create_trial(
        state=state, params={"x": 0.1 + 2 * 0.1}, distributions={"x": space},
        value=1.0 if state is TrialState.COMPLETE else None, user_attrs={FOLDER: str(number)},
    ) for number, state in enumerate((TrialState.COMPLETE, TrialState.RUNNING)))  # fmt: skip
    study.add_trial(old)
    study.add_trial(left)
    asked = small_asker(study, SAMPLERS["tpe"], {"x": space}, wanted=9)
    again = asked.ask_again(study.trials[1])
    assert again.params["x"] == 0.1 + 2 * 0.1 != 0.3
    for _ in range(4):
        study.tell(asked.ask().number, 1.0)
    assert sorted(t.params["x"] for t in study.trials[2:]) == [0.1, 0.2, 0.4, 0.5]
    assert asked.is_gone_through()


def test_what_is_enqueued_between_two_steps_stays_as_it_is() -> None:
    study = make_study()
    study.enqueue_trial({"x": 0.25})
    asked = small_asker(
        study, SAMPLERS["random"], {"x": FloatDistribution(0.1, 0.5, step=0.1)}, wanted=3
    )
    with pytest.warns(UserWarning, match="out of range"):
        assert asked.ask().params == {"x": 0.25}
