"""A bare Hydra app whose task returns at once; it borrows cnnsweep's sweeper when asked to."""

import sys

import hydra
from omegaconf import DictConfig

from cnnsweep.conf_dir import CONF_DIR
from cnnsweep.whitelist import allowed_targets


def task(config: DictConfig) -> float:
    return float(config.x)


if __name__ == "__main__":
    sys.argv.append(f"hydra.searchpath=[file://{CONF_DIR}]")
    hydra.main(
        config_path="noop_conf", config_name="config", execution_whitelist=allowed_targets()
    )(task)()
