"""Hydra's tutorial of structured configs, in one file: its dataclasses live in ``__main__``."""

from asyncio import CancelledError
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Any

import hydra
from hydra.core.config_store import ConfigStore
from hydra.core.hydra_config import HydraConfig
from omegaconf import MISSING, OmegaConf


class Act(Enum):
    relu = 1
    tanh = 2


@dataclass
class Optimizer:
    lr: float = 0.5


@dataclass
class Adam(Optimizer):
    beta: float = 0.9


@dataclass
class Conf:
    defaults: list[Any] = field(default_factory=lambda: ["_self_", {"optimizer": "sgd"}])
    optimizer: Optimizer = MISSING
    act: Act = Act.relu
    width: int = 4
    returns: str = "number"


@dataclass
class Outcome:
    value: float


class Float(float):
    """A number of a class that only this file knows."""


class Broken(Exception):
    """An error that only this file knows, and whose pickle needs two arguments."""

    def __init__(self, one: str, two: str) -> None:
        super().__init__(one + two)


ENDS = {
    "exit": SystemExit(3),
    "words": SystemExit("config is\nbad"),
    "zero": SystemExit(0),
    "cancelled": CancelledError(),
    "interrupt": KeyboardInterrupt(),
}

store = ConfigStore.instance()
store.store(name="config", node=Conf)
store.store(group="optimizer", name="sgd", node=Optimizer)
store.store(group="optimizer", name="adam", node=Adam)


@hydra.main(version_base=None, config_path=None, config_name="config")
def main(config: Conf) -> Any:
    assert isinstance(OmegaConf.to_object(config), Conf)
    assert isinstance(config.act, Act)
    (Path(HydraConfig.get().runtime.output_dir) / "here.txt").write_text(str(Path.cwd()))
    value = (config.optimizer.lr - 0.3) ** 2 + config.width
    if config.returns == "broken":
        raise Broken("a ", "mishap")
    if config.returns in ENDS:
        raise ENDS[config.returns]
    kinds = {"float": Float, "outcome": Outcome}
    return kinds.get(config.returns, float)(value)


if __name__ == "__main__":
    main()
