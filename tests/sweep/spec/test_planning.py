"""The seeds of several searches: each its own, and the first that of a single one."""

import pytest
from omegaconf import DictConfig, OmegaConf

from cnnsweep.metric_names import Direction
from cnnsweep.sweep.spec.jobs import first_seed
from cnnsweep.sweep.spec.plan import Plan
from cnnsweep.sweep.spec.planning import _repeated
from cnnsweep.sweep.spec.samplers import Sampling
from cnnsweep.sweep.spec.space.search_space import SearchSpace
from tests.sweep.study.studies import SPACE, make_study, sampler

SAMPLERS = {
    "random": sampler("RandomSampler"),
    "tpe": sampler("TPESampler", n_startup_trials=3),
    "cmaes": sampler("CmaEsSampler"),
    "nsgaii": sampler("NSGAIISampler", population_size=3),
    "qmc": OmegaConf.create(
        {"_target_": "cnnsweep.sweep.spec.samplers.NumberedPoints", "seed": None, "scramble": False}
    ),
}
WAYS: tuple[Direction, ...] = ("minimize",)
pytestmark = pytest.mark.filterwarnings("ignore::optuna.exceptions.ExperimentalWarning")


def plan(tmp_path: object, subfolder: str, seed: int) -> Plan:
    return Plan(
        sweep=tmp_path,  # type: ignore[arg-type]
        subfolder=subfolder,
        study_name=f"cnnsweep/{subfolder}" if subfolder else "cnnsweep",
        space=SearchSpace(SPACE, ()),
        config=OmegaConf.create({"seed": seed}),
        objectives=("val_loss",),
        directions=WAYS,
        n_trials=9,
        points=None,
        seed=seed,
        threads=None,
        typed=frozenset(),
    )


@pytest.mark.parametrize("seed", [0, 5, -3, 2**63])
def test_searches_have_folders_studies_and_seeds_of_their_own(seed: int, tmp_path: object) -> None:
    plans = list(_repeated([plan(tmp_path, "a", seed), plan(tmp_path, "b", seed)], 4))
    assert [one.subfolder for one in plans[:4]] == [
        "a/search_0", "b/search_0", "a/search_1", "b/search_1",
    ]  # fmt: skip
    assert [one.choice for one in plans[:2]] == ["a", "b"]
    assert len({one.study_name for one in plans}) == 8
    assert plans[0].seed == seed
    assert len({one.seed for one in plans}) == 4
    assert len({first_seed(one) for one in plans}) == 4
    for a, b in zip(plans[::2], plans[1::2], strict=True):  # so that choices can be paired
        assert (a.seed, first_seed(a)) == (b.seed, first_seed(b))
    more = list(_repeated([plan(tmp_path, "a", seed)], 6))
    assert [one.seed for one in more[:4]] == [one.seed for one in plans[::2]]


@pytest.mark.parametrize("config", SAMPLERS.values(), ids=SAMPLERS)
def test_every_sampler_draws_other_points_in_each_search(
    config: DictConfig, tmp_path: object
) -> None:
    drawn = []
    for one in _repeated([plan(tmp_path, "", 0)], 3):
        sampling = Sampling(config, one.seed, SPACE, 9, is_scrambled=bool(one.search_number))
        study, points = make_study(), []
        for number in range(6):
            study.sampler = sampling.sampler_for(number)
            trial = study.ask(SPACE)
            study.tell(trial, trial.params["x"])
            points.append(trial.params["x"])
        drawn.append(points)
    assert drawn[0] != drawn[1] != drawn[2] != drawn[0]
    assert not {*drawn[0][1:]} & {*drawn[1][1:]}
