"""Configs of a sweep's jobs are those that Hydra composes, however few of them it composes."""

from itertools import count
from pathlib import Path
from typing import Any

import pytest
from hydra.errors import HydraException
from omegaconf import OmegaConf

from cnnsweep.config.composing.job_configs import JobConfigs
from tests.config.composing.sweeps import loader, sweep

# Jobs of one sweep, in turn: the first of a shape is composed, the others are made of it.
JOBS = [
    [["optim.lr=0.1", "seed=1"], ["optim.lr='a b'", "seed=0"], ["optim.lr=null", "seed=2"]],
    [["optim=adam", "optim.lr=1"], ["optim=sgd", "optim.lr=1"], ["optim=adam", "optim.lr=3"]],
    [["seed=1", "seed=2"], ["seed=3", "seed=4"]],
    [["model={norm:none}", "model.norm=batch"], ["model={norm:batch}", "model.norm=none"]],
    [["+new=1", "++seed=3"], ["+new=2", "++seed=4"], ["~optim.lr", "seed=5"]],
    [["model.channels=[4,8]", "seed=1"], ["model.channels=[16]", "seed=2"]],
    [["optim.lr=${seed}", "seed=1"], ["optim.lr=0.5", "seed=2"]],
    [["hydra.sweep.subdir=a", "seed=1"], ["hydra.sweep.subdir=b", "seed=2"]],
]


def plain(config: Any) -> Any:
    return OmegaConf.to_container(config, resolve=False)


@pytest.mark.parametrize("jobs", JOBS, ids=lambda jobs: " ".join(jobs[0]))
def test_a_job_has_the_config_that_hydra_composes(jobs: list[list[str]]) -> None:
    with sweep("hydra/sweeper=optuna", "optim.lr=interval(0.1, 1)") as config:
        configs = JobConfigs(loader(), config)
        for words in [*jobs, jobs[0]]:
            wanted = loader().load_sweep_config(config, list(words))
            found = configs.compose(words)
            assert plain(found) == plain(wanted)
            assert found._metadata.flags == wanted._metadata.flags
            assert found.hydra._metadata.flags == wanted.hydra._metadata.flags
            found.seed = 77  # what is kept must not change with it


@pytest.mark.parametrize(
    "bad", [["optim.lrr=1"], ["model=lenets"], ["optim.lr=["], ["+seed=1"], ["seed=1,2"]]
)
def test_what_hydra_refuses_is_refused_each_time(bad: list[str]) -> None:
    with sweep("hydra/sweeper=optuna", "optim.lr=interval(0.1, 1)") as config:
        configs = JobConfigs(loader(), config)
        for _ in range(2):
            with pytest.raises(HydraException) as wanted:
                loader().load_sweep_config(config, list(bad))
            with pytest.raises(HydraException) as found:
                configs.compose(bad)
            assert str(found.value) == str(wanted.value)


def test_jobs_that_differ_in_values_alone_are_composed_once(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with sweep("hydra/sweeper=optuna", "optim.lr=interval(0.1, 1)", "model=lenet") as config:
        numbers = count()
        there = loader()
        original = there.load_sweep_config

        def counted(*arguments: Any) -> Any:
            next(numbers)
            return original(*arguments)

        monkeypatch.setattr(there, "load_sweep_config", counted)
        configs = JobConfigs(there, config)
        for value in range(5):
            folder = f"init_from={tmp_path / str(value)}"
            configs.compose(["model=lenet", f"optim.lr=0.{value}", "model.norm=none", folder])
        assert next(numbers) == 1
