"""Hydra's own Optuna sweeper and joblib launcher around the articles' loop.

Settings: two jobs at a time, one thread each; TPE. Hydra's sweeper cannot prune.
"""

import warnings
from dataclasses import dataclass

import hydra
from hydra.core.config_store import ConfigStore
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig, OmegaConf

warnings.simplefilter("ignore")


@dataclass
class Config:
    lr: float = 0.01
    momentum: float = 0.5
    batch_size: int = 64
    data: str = "?"
    split: str = "?"
    events: str = "?"
    epochs: int = 9
    threads: int = 1
    seed: int = 0


ConfigStore.instance().store("config", Config)


@hydra.main(config_path=None, config_name="config")
def main(config: DictConfig) -> float:
    from search_task import train

    return train(
        OmegaConf.to_container(config),
        lr=config.lr,
        momentum=config.momentum,
        batch_size=config.batch_size,
        trial=str(HydraConfig.get().job.num),
        report=lambda _: None,
    )


if __name__ == "__main__":
    main()
