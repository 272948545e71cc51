"""The keys below ``hydra.sweeper``, with their types; conf/hydra/sweeper/optuna.yaml sets them."""

from dataclasses import dataclass
from typing import Any

from hydra.core.config_store import ConfigStore
from omegaconf import MISSING


@dataclass
class OptunaSchema:
    """Hydra's own keys first (``direction``, ``n_trials``, ``max_failure_rate`` differ), then ours.

    ``sampler`` and ``pruner`` are Any: their keys belong to their own config groups.
    """

    _target_: str = MISSING
    sampler: Any = MISSING
    direction: Any = MISSING
    storage: str | None = MISSING
    study_name: str | None = MISSING
    n_trials: int = MISSING
    n_jobs: int = MISSING
    max_failure_rate: float = MISSING
    params: dict[str, str] | None = MISSING
    custom_search_space: str | None = MISSING
    pruner: Any = MISSING
    seeds: int = MISSING
    confirm: int = MISSING
    devices: list[Any] | None = MISSING
    retries: int = MISSING
    trial_timeout: float | None = MISSING
    timeout: float | None = MISSING
    compare: dict[str, list[str]] | None = MISSING
    shared: bool = MISSING


def register() -> None:
    """Make the schema known to Hydra as ``hydra/sweeper/optuna_schema``."""
    ConfigStore.instance().store(
        group="hydra/sweeper",
        name="optuna_schema",
        node=OptunaSchema,
        provider="cnnsweep",
        replace=True,  # a worker takes over the launching process's store before it comes here
    )
