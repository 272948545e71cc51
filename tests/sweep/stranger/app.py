"""A Hydra app that knows nothing of cnnsweep: plain ``hydra.main``, its config in ``--config-dir``.

It writes down the config that it was given, and returns (x - 1)².
"""

import json
from pathlib import Path

import hydra
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig, OmegaConf


@hydra.main(config_path=None, config_name="config")
def main(config: DictConfig) -> float:
    """What a run of it is."""
    folder = Path(HydraConfig.get().runtime.output_dir)
    (folder / "seen.json").write_text(json.dumps(OmegaConf.to_container(config, resolve=True)))
    return float((config.x - 1) ** 2)


if __name__ == "__main__":
    main()
