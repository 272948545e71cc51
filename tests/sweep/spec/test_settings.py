"""The keys below hydra.sweeper: one dataclass is their schema and their checked values."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hydra import compose, initialize_config_dir

from cnnsweep.config import CONF_DIR
from cnnsweep.errors import UserError
from cnnsweep.sweep.spec.settings import directions, read_settings, register


def handed_over(**changes: Any) -> dict[str, Any]:
    """What Hydra gives the sweeper: the keys of its node but the target."""
    register()
    with initialize_config_dir(str(CONF_DIR)):
        config = compose("config", ["hydra/sweeper=optuna"], return_hydra_config=True)
    sweeper = config.hydra.sweeper
    return {str(key): sweeper[key] for key in sweeper if key != "_target_"} | changes


def test_the_yaml_sets_every_key_of_the_schema() -> None:
    settings = read_settings(handed_over(n_trials=7))
    assert (settings.n_trials, settings.n_jobs, settings.params) == (7, "auto", {})


@pytest.mark.parametrize(
    ("key", "value", "allowed"),
    [(key, 0, "from 1 up") for key in ("n_trials", "n_jobs", "seeds")]
    + [("n_jobs", value, "auto, or a whole number from 1 up") for value in (-1, 1.5, "all", None)]
    + [(key, -1, "from 0 up") for key in ("confirm", "retries")]
    + [(key, 0.0, "null, or seconds above 0") for key in ("trial_timeout", "timeout")]
    + [("max_failure_rate", 1.5, "from 0 to 1"), ("devices", [], "a list of devices")],
)
def test_a_value_out_of_range_is_named(key: str, value: Any, allowed: str) -> None:
    with pytest.raises(UserError, match=rf"hydra\.sweeper\.{key}=.* allowed is .*{allowed}"):
        read_settings(handed_over(**{key: value}))


def test_the_keys_of_another_sweeper_are_refused() -> None:
    with pytest.raises(UserError, match=r"hydra\.sweeper lacks .*pruner.*; hydra/sweeper=optuna"):
        read_settings({"n_trials": 3})


def test_a_direction_is_typed_or_follows_from_the_objective() -> None:
    assert directions(None, ["val_accuracy", "mine"]) == ["maximize", "minimize"]
    assert directions("maximize", []) == ["maximize"]
    with pytest.raises(UserError, match=r"direction=up is .* allowed is minimize, maximize"):
        directions(["up"], ["mine"])
    with pytest.raises(UserError, match="has 2 entries for 1 objectives"):
        directions(["minimize", "maximize"], ["mine"])


def test_what_hydra_scans_imports_neither_torch_nor_optuna() -> None:
    heavy = {"torch", "optuna", "joblib"}
    code = f"import sys, cnnsweep.sweep.sweeper; print({heavy} & sys.modules.keys())"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_a_folder_that_is_typed_in_two_ways_is_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    typed = ["old", "./old/", str(tmp_path / "old"), "other"]
    assert read_settings(handed_over(warm_start=typed)).earlier == ("old", "other")
