"""python -m tests.other_apps.structured.train: an app whose config is dataclasses, in a package."""

import json
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Any

import hydra
from hydra.core.config_store import ConfigStore
from hydra.core.hydra_config import HydraConfig
from omegaconf import MISSING

import cnnsweep
from tests.other_apps.structured.loss import val_loss


class Kind(Enum):
    ROUND = 1
    SQUARE = 2


@dataclass
class Optimizer:
    lr: float = MISSING
    kind: Kind = Kind.ROUND


@dataclass
class Sgd(Optimizer):
    lr: float = 0.1
    momentum: float = 0.5


@dataclass
class Adam(Optimizer):
    lr: float = 0.01


@dataclass
class Net:
    optimizer: Optimizer = MISSING
    width: int = 4
    shape: Kind = Kind.ROUND


@dataclass
class Trainer:
    max_epochs: int = 4


@dataclass
class Config:
    defaults: list[Any] = field(
        default_factory=lambda: [
            {"net": "small"},
            {"net/optimizer": "sgd"},
            {"override hydra/sweeper": "cnnsweep"},
            "_self_",
        ]
    )
    net: Net = MISSING
    kind: Kind = Kind.SQUARE
    kinds: list[Kind] = field(default_factory=lambda: [Kind.SQUARE])
    by_kind: dict[Kind, int] = field(default_factory=lambda: {Kind.ROUND: 1})
    where: Path = Path("a/b")
    raw: bytes = b"\x00"
    seed: int | None = None
    trainer: Trainer = field(default_factory=Trainer)
    epochs: int = "${trainer.max_epochs}"  # type: ignore[assignment]


store = ConfigStore.instance()
store.store(name="config", node=Config)
store.store(group="net", name="small", node=Net)
store.store(group="net", name="wide", node=Net(width=16))
store.store(group="net/optimizer", name="sgd", node=Sgd)
store.store(group="net/optimizer", name="adam", node=Adam)


@hydra.main(config_name="config", version_base=None)
def train(config: Config) -> None:
    assert isinstance(config.net.shape, Kind)
    state = Path(HydraConfig.get().runtime.output_dir) / "state.json"
    done, loss = json.loads(state.read_text()) if state.exists() else (0, 0.0)
    if done:
        cnnsweep.report_epoch(done, {"val_loss": loss})
    for epoch in range(done + 1, config.epochs + 1):
        loss = val_loss(config.net.optimizer.lr, config.net.width, epoch)
        state.write_text(json.dumps([epoch, loss]))
        cnnsweep.report_epoch(epoch, {"val_loss": loss})


if __name__ == "__main__":
    train()
