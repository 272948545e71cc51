"""A composed config as plain values."""

from typing import Any, cast

from omegaconf import DictConfig, OmegaConf


def resolve(config: DictConfig) -> dict[str, Any]:
    """A job's config as plain values, interpolations resolved, without Hydra's own part."""
    job = OmegaConf.masked_copy(config, [str(key) for key in config if key != "hydra"])
    return cast(dict[str, Any], OmegaConf.to_container(job, resolve=True, throw_on_missing=True))
