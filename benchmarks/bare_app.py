"""The least Hydra app there is, with the config below noop_conf: what `--help` is compared with."""

import hydra
from omegaconf import DictConfig


@hydra.main(config_path="noop_conf", config_name="config")
def main(config: DictConfig) -> None:
    print(config.x)


if __name__ == "__main__":
    main()
