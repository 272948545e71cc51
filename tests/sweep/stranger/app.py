"""A Hydra app that knows nothing of cnnsweep: plain ``hydra.main``, its config in ``--config-dir``.

It writes down the config that it was given, waits while there is a file ``hold``, writes
``content`` into files that are named as ours are, and returns (x - 1)².
"""

import json
import time
from pathlib import Path

import hydra
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig, OmegaConf

FILES = ("result.json", "config.yaml", "metrics.csv", "last.pt", "best.pt")  # named as ours are


@hydra.main(config_path=None, config_name="config")
def main(config: DictConfig) -> float:
    """What a run of it is."""
    folder = Path(HydraConfig.get().runtime.output_dir)
    (folder / "seen.json").write_text(json.dumps(OmegaConf.to_container(config, resolve=True)))
    while "hold" in config and Path(config.hold).exists():
        time.sleep(0.05)
    for name in FILES if "content" in config else ():
        (folder / name).write_text(config.content)
    if config.x > config.get("breaks_above", 9):
        raise RuntimeError("the app's own error")
    return float((config.x - 1) ** 2)


if __name__ == "__main__":
    main()
