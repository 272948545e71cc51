from collections.abc import Iterator
from typing import Any

import pytest
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf

from cnnsweep.config import CONF_DIR
from cnnsweep.config.trackers import check_loggers, chosen
from cnnsweep.errors import UserError
from cnnsweep.folders.run_folder import differing_keys


@pytest.fixture(autouse=True)
def composing() -> Iterator[None]:
    with initialize_config_dir(str(CONF_DIR)):
        yield


def config(*overrides: str) -> dict[str, Any]:
    plain: Any = OmegaConf.to_container(compose("config", list(overrides)), resolve=True)
    return dict(plain)


@pytest.mark.parametrize(
    ("typed", "names"),
    [
        (["logger=none"], []),
        (["logger=csv"], []),
        (["logger=tensorboard"], ["tensorboard"]),
        (["logger=[tensorboard,mlflow]"], ["tensorboard", "mlflow"]),
        (["logger=[csv,tensorboard,mlflow,wandb]"], ["tensorboard", "mlflow", "wandb"]),
        (["logger._target_=my_pkg.Mine"], ["Mine"]),
        (["logger=mlflow", "+logger.mine._target_=my_pkg.Mine"], ["mlflow", "mine"]),
        (["logger=mlflow", "+logger._target_=my_pkg.Mine"], ["mlflow", "Mine"]),
        (["logger=[mlflow,none]", "logger._target_=my_pkg.Mine"], ["mlflow", "Mine"]),
    ],
)
def test_one_logger_or_a_list_of_them_is_typed(typed: list[str], names: list[str]) -> None:
    assert list(chosen(config(*typed)["logger"])) == names


def test_each_has_its_keys_under_its_name() -> None:
    typed = ("logger=[tensorboard,mlflow]", "logger.mlflow.experiment=mine")
    assert chosen(config(*typed)["logger"])["mlflow"]["experiment"] == "mine"


def test_another_logger_is_no_other_config() -> None:
    assert differing_keys(config("logger=none"), config("logger=[mlflow,wandb]")) == []


@pytest.mark.parametrize("uri", ["htp://localhost:5000", "mlflow.db", "/data/mlruns", "gopher://x"])
def test_an_address_that_is_none_is_refused_before_anything_starts(
    uri: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cnnsweep.config.trackers.find_spec", lambda _: True)
    node = {"mlflow": {"_target_": "cnnsweep.loggers.mlflow.MLflow", "tracking_uri": uri}}
    with pytest.raises(UserError, match=r"logger.mlflow.tracking_uri=.* allowed: sqlite:///"):
        check_loggers(node)


def test_keys_that_lack_are_said_when_the_tracker_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cnnsweep.config.trackers.find_spec", lambda _: True)
    for target in ("mlflow.MLflow", "wandb.WandB"):
        check_loggers({"mine": {"_target_": f"cnnsweep.loggers.{target}"}})


def test_an_unknown_mode_of_wandb_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cnnsweep.config.trackers.find_spec", lambda _: True)
    node = {"wandb": {"_target_": "cnnsweep.loggers.wandb.WandB", "mode": "ofline"}}
    with pytest.raises(UserError, match=r"logger.wandb.mode=ofline is not one of offline"):
        check_loggers(node)
