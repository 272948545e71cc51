"""The default config is the first trial of every space that holds it."""

from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml
from hydra.errors import HydraException
from omegaconf import OmegaConf
from optuna import create_study
from optuna.distributions import BaseDistribution, FloatDistribution, IntDistribution

from cnnsweep.folders.sweep_folder import RESULTS
from cnnsweep.sweep.earlier.default_config import record_default
from cnnsweep.sweep.spec.space.search_space import read_space
from cnnsweep.sweep.spec.space.values import drawn_for, typed_value
from tests.sweep.sweep_commands import OURS, study, sweep


def space(typed: str) -> BaseDistribution:
    return next(iter(read_space({}, [f"k={typed}"], None).distributions.values()))


@pytest.mark.parametrize(
    ("typed", "default"),
    [
        ("null,1.0", None),
        ("1.0,null", None),
        ("null,1.0", 1),
        ("1,2", 1.0),
        ("1.0,2", 1),
        ("true,false", False),
        ("[],[1]", []),
        ("[1, 2],[3]", [1, 2]),
        ("[1, 2],[3]", [1.0, 2]),
        ("{a: 1},{a: [b, null]}", {"a": ["b", None]}),
        ("'null',x", "null"),
        ("null,'null'", "null"),
        ("choice('a b', c)", "a b"),
        ("cosine,none", "none"),
        ("'1',2", "1"),
        ("range(0, 1, 0.25)", 0.5),
        ("range(1, 9, 2)", 3),
        ("interval(0.0, 1.0)", 1),
        ("interval(1, 5)", 5),
    ],
)
def test_it_is_found_however_it_is_written(typed: str, default: Any) -> None:
    distribution = space(typed)
    point = drawn_for(distribution, default)
    assert len(point) == 1
    if not isinstance(distribution, FloatDistribution | IntDistribution):
        assert point[0] in distribution.choices  # type: ignore[attr-defined]
    assert typed_value(point[0]) == default


@pytest.mark.parametrize(
    ("typed", "default"),
    [
        ("null,1.0", "null"),
        ("'null',1.0", None),
        ("1,2", True),
        ("true,false", 1),
        ("[1],[2]", 1),
        ("1,2", 3),
        ("'1',2", 1),
        ("interval(0, 1)", None),
        ("interval(0, 1)", True),
        ("range(1, 9, 2)", 2),
        ("interval(0.1, 1.0)", 0.0),
    ],
)
def test_what_the_space_does_not_hold_is_not(typed: str, default: Any) -> None:
    assert drawn_for(space(typed), default) == []


@pytest.mark.parametrize(
    "words",
    [
        ("hydra/sweeper/sampler=grid", "optim.lr=0.1,0.01"),
        ("hydra/sweeper/sampler=tpe", "optim.lr=interval(0.001, 0.1)", "hydra.sweeper.n_trials=2"),
    ],
    ids=["drawn", "given"],
)
def test_a_trial_that_has_its_values_is_it_though_it_does_not_come_first(
    words: tuple[str, ...], tmp_path: Path
) -> None:
    points = tmp_path / "p.csv"
    points.write_text("optim.lr\n0.05\n0.01\n")
    given = () if "grid" in words[0] else (f"hydra.sweeper.points={points}",)
    few = ("model=simple", "data.train_limit=200", "epochs=1", "hydra.sweeper.default_first=false")
    done = sweep(OURS, tmp_path / "sweep", *words, *few, *given)
    assert done.code == 0, done.text
    assert "the default config was no trial" not in done.text
    results = yaml.safe_load((tmp_path / "sweep" / RESULTS).read_text())
    trials = study(tmp_path / "sweep", "cnnsweep").get_trials()
    assert trials[results["default_trial"]].params == {"optim.lr": 0.01}


@pytest.mark.parametrize("comes_first", [False, True])
def test_a_config_that_needs_drawn_values_is_refused_where_it_is_to_come_first_alone(
    comes_first: bool,
) -> None:
    def compose(*_: Any) -> None:
        raise HydraException("without a value")

    sampler = OmegaConf.create({"_target_": "optuna.samplers.RandomSampler"})
    settings: Any = SimpleNamespace(default_first=comes_first, sampler=sampler)
    plan: Any = SimpleNamespace(space=read_space({}, ["k=1,2"], None), subfolder="")
    config = OmegaConf.create({"hydra": {"runtime": {"choices": {}}}})
    context: Any = SimpleNamespace(config=config, compose=compose)
    refused = pytest.raises(HydraException) if comes_first else nullcontext()
    with refused:
        assert record_default(create_study(), plan, settings, context) is None
