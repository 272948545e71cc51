"""A sweep's own config, composed as the real command line has it composed."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hydra import initialize_config_dir
from hydra.core.config_loader import ConfigLoader
from hydra.core.global_hydra import GlobalHydra
from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from omegaconf import DictConfig

from cnnsweep.config import CONF_DIR
from cnnsweep.config.composing.late_keys import restore_typed, words_of_sweep
from cnnsweep.config.composing.read_once import read_files_once

WITHOUT_CALLBACKS = "~hydra.callbacks.folders"


@contextmanager
def sweep(*words: str, conf: Path = CONF_DIR) -> Iterator[DictConfig]:
    """The config of ``--multirun`` with these words, and Hydra as it is then."""
    overrides = words_of_sweep(["--multirun", *words])[1:]
    before = HydraConfig.instance().cfg
    try:
        with initialize_config_dir(str(conf)):
            hydra = GlobalHydra.instance().hydra
            assert hydra is not None
            config = hydra.compose_config("config", overrides, run_mode=RunMode.MULTIRUN)
            config.hydra.mode = RunMode.MULTIRUN
            restore_typed(config)
            HydraConfig.instance().set_config(config)
            read_files_once(loader())
            yield config
    finally:
        HydraConfig.instance().cfg = before


def loader() -> ConfigLoader:
    """That of the sweep above."""
    return GlobalHydra.instance().config_loader()
