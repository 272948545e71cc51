"""Scanned by Hydra: from now on ``hydra/sweeper=optuna`` means our sweeper in any app."""

import hydra_plugins.hydra_optuna_sweeper.config  # noqa: F401 — registers first, to be replaced
from hydra.core.config_store import ConfigStore
from omegaconf import OmegaConf

from cnnsweep.config import CONF_DIR


def point_at_ours() -> None:
    sweepers = CONF_DIR / "hydra" / "sweeper"
    for path in (sweepers / "optuna.yaml", *sweepers.glob("pruner/*.yaml")):
        ConfigStore.instance().store(
            group=str(path.parent.relative_to(CONF_DIR)),
            name=path.stem,
            node=OmegaConf.load(path),
            provider="cnnsweep",
            replace=True,
        )


point_at_ours()
