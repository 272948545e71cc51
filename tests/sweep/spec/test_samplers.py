"""The samplers that conf/ configures: what ``auto`` stands for, and what is refused."""

from typing import Any

import pytest
from hydra.core.config_store import ConfigStore
from omegaconf import DictConfig, OmegaConf
from optuna.distributions import FloatDistribution
from optuna.samplers import TPESampler

from cnnsweep.config import CONF_DIR
from cnnsweep.errors import UserError
from cnnsweep.sweep.spec.samplers import Sampling, Space
from tests.config.composing.sweeps import sweep

SPACE: Space = {"x": FloatDistribution(0.0, 1.0)}
pytestmark = pytest.mark.filterwarnings("ignore::optuna.exceptions.ExperimentalWarning")
TPE = CONF_DIR / "hydra" / "sweeper" / "sampler" / "tpe.yaml"


def tpe(**changes: Any) -> DictConfig:
    config = OmegaConf.merge(OmegaConf.load(TPE), changes)
    assert isinstance(config, DictConfig)
    return config


def made(config: DictConfig, n_trials: int = 20, *, is_conditional: bool = False) -> TPESampler:
    sampling = Sampling(config, 0, SPACE, n_trials, is_conditional=is_conditional)
    sampler = sampling.sampler_for(0)
    assert isinstance(sampler, TPESampler)
    return sampler


@pytest.mark.parametrize(
    "words", [["search=sgd"], ["search=adam"], ["search=compare"], ["hydra/sweeper=optuna"]]
)
def test_a_search_has_our_tpe_and_not_that_of_hydras_plugin(words: list[str]) -> None:
    with sweep(*words) as config:
        assert config.hydra.sweeper.sampler == OmegaConf.load(TPE)


def test_an_app_that_finds_our_configs_has_our_tpe(tmp_path: Any) -> None:
    (tmp_path / "config.yaml").write_text("lr: 1\n")
    more = f"hydra.searchpath=[file://{CONF_DIR}]"
    with sweep("hydra/sweeper=optuna", more, conf=tmp_path) as config:
        assert config.hydra.sweeper.sampler == OmegaConf.load(TPE)


def test_every_key_of_hydras_own_tpe_can_be_typed() -> None:
    theirs = ConfigStore.instance().load("hydra/sweeper/sampler/tpe.yaml").node
    assert set(OmegaConf.create(theirs)) == set(OmegaConf.load(TPE))
    words = ("n_startup_trials=7", "multivariate=false", "group=false", "constant_liar=false")
    with sweep("search=sgd", *(f"hydra.sweeper.sampler.{word}" for word in words)) as config:
        sampler = made(config.hydra.sweeper.sampler)
    assert sampler._n_startup_trials == 7
    assert (sampler._multivariate, sampler._group, sampler._constant_liar) == (False,) * 3


def test_untyped_it_is_what_optuna_takes_by_default() -> None:
    ours, plain = made(tpe(), n_trials=40), TPESampler()
    for name in ("multivariate", "group", "constant_liar", "n_ei_candidates", "n_startup_trials"):
        assert getattr(ours, f"_{name}") == getattr(plain, f"_{name}")


@pytest.mark.parametrize(
    ("n_trials", "random"), [(1, 4), (12, 4), (20, 5), (39, 9), (40, 10), (9999, 10)]
)
def test_short_searches_begin_with_fewer_random_trials(n_trials: int, random: int) -> None:
    assert made(tpe(), n_trials)._n_startup_trials == random
    assert made(tpe(n_startup_trials=3), n_trials)._n_startup_trials == 3


@pytest.mark.parametrize(
    ("changes", "is_conditional", "group"),
    [
        ({}, False, False),
        ({}, True, True),
        ({"multivariate": False}, True, False),
        ({"group": False}, True, False),
        ({"group": True}, False, True),
    ],
)
def test_parameters_that_some_trials_lack_are_grouped(
    changes: dict[str, Any], is_conditional: bool, group: bool
) -> None:
    assert made(tpe(**changes), is_conditional=is_conditional)._group == group


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"n_startup_trials": -1}, "n_startup_trials=-1 .* auto, or a whole number from 0 up"),
        ({"n_startup_trials": "few"}, "n_startup_trials=few .* auto, or"),
        ({"n_startup_trials": None}, "n_startup_trials=null .* auto, or"),
        ({"n_ei_candidates": 0}, "n_ei_candidates=0 .* from 1 up"),
        ({"multivariate": "auto"}, "multivariate=auto .* null, or true or false"),
        ({"group": "some"}, "group=some .* auto, true or false"),
        ({"constant_liar": 1}, "constant_liar=1 .* true or false"),
        ({"group": True, "multivariate": False}, "group=true needs .*multivariate=true, or null"),
    ],
)
def test_a_value_out_of_range_is_named(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(UserError, match=rf"^hydra\.sweeper\.sampler\.{said}"):
        made(tpe(**changes))


OTHERS = ("RandomSampler", "NSGAIISampler", "QMCSampler", "CmaEsSampler", "TPESampler")


@pytest.mark.parametrize("name", OTHERS)
def test_another_sampler_in_place_of_the_default_one_is_made_without_its_keys(name: str) -> None:
    """As the YAMLs of many people have it: ``sampler: {_target_: optuna.samplers.…}``."""
    config = OmegaConf.merge(tpe(), {"_target_": f"optuna.samplers.{name}", "seed": 3})
    assert isinstance(config, DictConfig)
    sampler = Sampling(config, 0, SPACE, 20).sampler_for(1)
    assert type(sampler).__name__ == name


def test_a_key_that_the_other_sampler_lacks_is_named() -> None:
    more = {"_target_": "optuna.samplers.RandomSampler", "n_startup_trials": 5}
    config = OmegaConf.merge(tpe(), more)
    assert isinstance(config, DictConfig)
    with pytest.raises(UserError, match=r"unknown key 'hydra\.sweeper\.sampler\.n_startup_trials'"):
        made(config)
