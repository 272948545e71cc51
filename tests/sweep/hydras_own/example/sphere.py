"""The sum of two squares."""

import hydra
from omegaconf import DictConfig


@hydra.main(config_path="conf", config_name="config")
def sphere(cfg: DictConfig) -> float:
    if "error" in cfg and cfg.error:
        raise RuntimeError("cfg.error is True")
    return float(cfg.x**2 + cfg.y**2)


if __name__ == "__main__":
    sphere()
