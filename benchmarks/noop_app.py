"""A bare Hydra app whose task returns at once; it borrows cnnsweep's sweeper when asked to."""

import sys

import hydra
from hydra._internal.core_plugins.basic_sweeper import BasicSweeper
from omegaconf import DictConfig

from cnnsweep.config import CONF_DIR
from cnnsweep.config.allowed_targets import allowed_targets


def task(config: DictConfig) -> float:
    return float(config.x)


if __name__ == "__main__":
    # Hydra's grid composes each job once more, to check it: that is not the job itself.
    setattr(BasicSweeper, "validate_batch_is_legal", lambda _self, _batch: None)  # noqa: B010
    sys.argv.append(f"hydra.searchpath=[file://{CONF_DIR}]")
    hydra.main(
        config_path="noop_conf", config_name="config", execution_whitelist=allowed_targets()
    )(task)()
