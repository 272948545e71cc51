"""Every way to choose a sweeper chooses the right one; what belongs to another is refused."""

from importlib.util import find_spec
from pathlib import Path

import pytest
from hydra import compose, initialize_config_dir
from hydra.errors import HydraException

from cnnsweep.config import CONF_DIR
from cnnsweep.config.composing.grid_jobs import is_basic, is_grid
from cnnsweep.config.error_messages import error_line
from cnnsweep.config.sweeper_keys import check_sweepers, keys_of, keys_without_node, searches_over
from cnnsweep.errors import UserError
from tests.config.composing.sweeps import sweep

EXPERIMENTS = sorted(path.stem for path in (CONF_DIR / "experiment").glob("*.yaml"))
SEARCHES = sorted(path.stem for path in (CONF_DIR / "search").glob("*.yaml"))
OWN = """# @package _global_
defaults:
  - override /hydra/sweeper: {}
"""
CHOICES = [
    ([], "grid"),
    (["seed=0,1"], "grid"),
    (["sweep=grid"], "grid"),
    (["hydra/sweeper=grid"], "grid"),
    (["hydra/sweeper=basic"], "basic"),
    (["hydra/sweeper=optuna"], "optuna"),
    (["experiment=mnist_simple", "hydra/sweeper=basic"], "basic"),
    (["experiment=mnist_simple,fashion_lenet"], "grid"),
    (["experiment=mnist_simple", "search=sgd"], "optuna"),
    (["search=sgd", "hydra/sweeper=optuna"], "optuna"),
    *((["experiment=" + name], "grid") for name in EXPERIMENTS),
    *((["search=" + name], "optuna") for name in SEARCHES),
]


@pytest.mark.parametrize(("words", "chosen"), CHOICES, ids=lambda x: " ".join(x))
def test_the_sweeper_is_the_one_that_was_chosen(words: list[str], chosen: str) -> None:
    with sweep(*words) as config:
        assert config.hydra.runtime.choices["hydra/sweeper"] == chosen
        assert (is_grid(config), is_basic(config)) == (chosen != "optuna", chosen == "basic")


@pytest.mark.skipif(
    find_spec("hydra_plugins.hydra_joblib_launcher") is None, reason="the extra joblib is missing"
)
@pytest.mark.parametrize(
    ("words", "chosen"),
    [([], "grid"), (["hydra/sweeper=basic"], "basic"), (["search=sgd"], "optuna")],
)
def test_a_launcher_changes_no_sweeper(words: list[str], chosen: str) -> None:
    with sweep(*words, "hydra/launcher=joblib") as config:
        assert config.hydra.runtime.choices["hydra/sweeper"] == chosen


@pytest.mark.parametrize("option", ["optuna", "basic", "grid"])
def test_an_experiment_of_ones_own_chooses_a_sweeper(option: str, tmp_path: Path) -> None:
    (tmp_path / "experiment").mkdir()
    (tmp_path / "experiment" / "mine.yaml").write_text(OWN.format(option))
    place = f"hydra.searchpath=[file://{tmp_path}]"
    with sweep("experiment=mine", place) as config:
        assert config.hydra.runtime.choices["hydra/sweeper"] == option


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["hydra.sweeper.n_trials=5"], "n_trials is for searches, and this is a grid"),
        (["hydra.sweeper.pruner.n_startup_trials=5"], "pruner is for searches, and this is a grid"),
        (["hydra/sweeper=basic", "hydra.sweeper.n_trials=5"], "n_trials is for searches"),
        (["hydra/sweeper=basic", "hydra.sweeper.n_jobs=5"], "leave out hydra/sweeper=basic"),
        (["search=sgd", "hydra.sweeper.max_batch_size=2"], "is for grids, and this is a search"),
        (["hydra.sweeper.n_job=5"], "Did you mean 'hydra.sweeper.n_jobs'?"),
    ],
)
def test_a_key_of_another_sweeper_is_refused_with_what_to_type(words: list[str], said: str) -> None:
    with pytest.raises(HydraException) as refused, sweep("seed=0,1", *words):
        pass
    assert said in error_line(refused.value)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["-m", "search=sgd", "hydra/sweeper=basic"], "hydra/sweeper=basic a grid: leave one"),
        (["-m", "search=sgd", "hydra/sweeper=grid"], "search=sgd is a search"),
        (["-m", "seed=0,1", "hydra/sweeper/pruner=none"], "'hydra/sweeper/pruner=none' is for"),
        (["-m", "hydra/sweeper=basic", "hydra/sweeper/sampler=tpe"], "is for searches"),
    ],
)
def test_words_of_two_sweepers_are_refused(words: list[str], said: str) -> None:
    with pytest.raises(UserError) as refused:
        check_sweepers(words)
    assert said in str(refused.value)


@pytest.mark.parametrize(
    "words",
    [
        ["-m", "search=sgd", "hydra/sweeper/pruner=none"],
        ["-m", "hydra/sweeper=optuna", "hydra/sweeper/sampler=tpe"],
        ["-m", "experiment=mine", "hydra/sweeper/pruner=none"],
        ["-m", "resume=latest", "hydra/sweeper/pruner=none"],
    ],
)
def test_words_that_may_go_together_pass(words: list[str]) -> None:
    check_sweepers(words)


def test_keys_and_spaces_are_those_of_the_files() -> None:
    assert {"n_trials", "pruner", "sampler", "n_jobs"} <= set(keys_of("optuna"))
    assert {"params", "max_batch_size", "n_jobs"} <= set(keys_of("grid"))
    assert searches_over("optim.momentum") == ["compare", "optimizers", "sgd", "tuning_curve"]


@pytest.mark.parametrize("key", ["points", "warm_start", "dry_run", "n_trials", "storage"])
def test_a_key_of_a_sweep_typed_as_a_runs_is_shown_as_a_sweeps(key: str) -> None:
    with initialize_config_dir(str(CONF_DIR)), pytest.raises(HydraException) as refused:
        compose("config", [f"{key}=1"])
    line = error_line(refused.value)
    assert line == (
        f"error: unknown key '{key}'. Did you mean 'hydra.sweeper.{key}'? "
        "It is a sweep's, not a run's."
    )


def test_keys_that_people_type_alone_are_known_as_a_sweeps_and_keys_of_runs_are_not() -> None:
    typed = {"points", "warm_start", "dry_run", "n_trials", "n_jobs", "storage", "timeout"}
    assert typed <= keys_without_node()
    assert not {"threads", "keep", "sampler", "pruner"} & keys_without_node()
