"""With which other runs a run's epochs may be trained."""

import json

from omegaconf import DictConfig, OmegaConf
from torch import nn

from cnnsweep.data.batches import Batches
from cnnsweep.stack.family import why_alone
from cnnsweep.training.optimizer_step import OptimizerStep
from cnnsweep.training.trainer import Family

# In these the runs of a family may differ; a key that is not named here tells families apart.
OWN_KEYS = (
    "seed", "epochs", "optim", "scheduler", "early_stopping", "grad_clip", "l1", "objective",
    "test", "init_from", "keep", "pictures", "summary", "logger", "resume", "from",
)  # fmt: skip


def family_of(
    config: DictConfig,
    model: nn.Module,
    loss: nn.Module,
    step: OptimizerStep,
    train: Batches,
    val: Batches | None,
) -> Family:
    """The family of a run with this config."""
    shared = {
        key: OmegaConf.to_container(value) if OmegaConf.is_config(value) else value
        for key, value in config.items()
        if key not in (*OWN_KEYS, "hydra")
    }
    images = [train.images, None if val is None else val.images]
    return Family(
        json.dumps([shared, images], sort_keys=True), _why_alone(config, model, loss, step, train)
    )


def _why_alone(
    config: DictConfig, model: nn.Module, loss: nn.Module, step: OptimizerStep, train: Batches
) -> str | None:
    for key in ("compile", "freeze"):
        if config[key]:
            return f"{key}=true"
    return why_alone(model, step, loss, train.augment)
