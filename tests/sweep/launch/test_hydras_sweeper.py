"""Hydra's own Optuna sweeper never runs unnoticed where ours was meant."""

from pathlib import Path

import pytest

from cnnsweep.config import CONF_DIR
from tests.sweep.launch.strangers import X, stranger, write_option
from tests.sweep.launch.test_ending import line_of
from tests.sweep.sweep_commands import sweep

SEARCH = ("hydra/sweeper=optuna", X, "hydra.sweeper.n_trials=1")
TARGET = "hydra_plugins.hydra_optuna_sweeper.optuna_sweeper.OptunaSweeper"
# As lightning-hydra-template has it, but for the keys of its space.
TEMPLATE = f"""# @package _global_
defaults:
  - override /hydra/sweeper: optuna
optimized_metric: "val/acc_best"
hydra:
  sweeper:
    _target_: {TARGET}
    storage: null
    study_name: null
    n_jobs: 1
    direction: maximize
    n_trials: 2
    sampler:
      _target_: optuna.samplers.TPESampler
      seed: 1234
      n_startup_trials: 10
    params:
      x: interval(0, 2)
      size: choice(32, 64)
"""


@pytest.mark.parametrize(
    "path",
    [
        "pkg://cnnsweep.cnf",
        "pkg://cnnsweep",
        "pkg://cnsweep.conf",
        "pkg://CNNsweep.conf",
        "file:///nowhere/cnnsweep/conf",
        f"file://{CONF_DIR.parent}/confs",
    ],
)
def test_a_search_path_that_leads_elsewhere_is_named(path: str, tmp_path: Path) -> None:
    if CONF_DIR.parent.name != "cnnsweep" and path.endswith("confs"):
        path = "file:///nowhere/cnnsweep/confs"
    done = sweep(stranger(tmp_path / "app", path), tmp_path / "sweep", *SEARCH)
    assert done.code == 1
    assert f"hydra.searchpath names {path}, where no cnnsweep is" in line_of(done.text)
    assert not (tmp_path / "sweep").exists()


def test_whoever_wants_hydras_own_sweeper_has_it(tmp_path: Path) -> None:
    """Also with a folder on the search path that is not there: that is Hydra's affair."""
    for path in ("file:///nowhere/else", f"file://{tmp_path}"):
        done = sweep(stranger(tmp_path / "app", path), tmp_path / "sweep", *SEARCH)
        assert done.code == 0, done.text
        assert not (tmp_path / "sweep" / "study.journal").exists()


def test_a_yaml_that_names_hydras_class_says_which_line_to_leave_out(tmp_path: Path) -> None:
    app = tmp_path / "app"
    whose = stranger(app, defaults=["_self_", {"hparams_search": None}], size=8)
    write_option(app, "hparams_search", "mnist_optuna", TEMPLATE)
    done = sweep(whose, tmp_path / "sweep", "hparams_search=mnist_optuna")
    assert done.code == 1
    line = line_of(done.text)
    assert f"hydra.sweeper._target_={TARGET} in hparams_search/mnist_optuna.yaml" in line
    assert "leave the line `_target_` below hydra.sweeper out" in line
    without = "\n".join(row for row in TEMPLATE.splitlines() if TARGET not in row)
    write_option(app, "hparams_search", "mnist_optuna", without)
    done = sweep(whose, tmp_path / "sweep", "hparams_search=mnist_optuna")
    assert done.code == 0, done.text
    assert "2 trials over x, size" in done.text
