"""The keys below ``hydra.sweeper``; imported at every start of Hydra: no torch, no Optuna."""

from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any

from hydra.core.config_store import ConfigStore
from omegaconf import MISSING

from cnnsweep.errors import UserError
from cnnsweep.metric_names import DIRECTIONS, Direction


@dataclass
class Settings:
    """Hydra's schema of the sweeper's node, and the values it hands over, checked.

    conf/hydra/sweeper/optuna.yaml says what each key means. Unlike Hydra's sweeper: ``direction``
    may be null (from the objective), ``n_trials`` counts all launches, ``max_failure_rate`` is of
    *finished* trials. ``sampler`` and ``pruner`` are Any: their keys belong to their own config
    groups. Mappings and lists arrive as OmegaConf's.

    Raises:
        UserError: a value is out of range.
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

    def __post_init__(self) -> None:
        for name, is_fit, allowed in _RULES:
            value = getattr(self, name)
            if not is_fit(value):
                raise UserError(
                    f"hydra.sweeper.{name}={value} is out of range: allowed is {allowed}"
                )


def read_settings(keys: dict[str, Any]) -> Settings:
    """The settings that Hydra hands over.

    Raises:
        UserError: a key is missing (another sweeper's config), or its value is out of range.
    """
    known = {field.name for field in fields(Settings)} - {"_target_"}  # which Hydra keeps
    missing = sorted(known - keys.keys())
    if missing:
        raise UserError(f"hydra.sweeper lacks {', '.join(missing)}; hydra/sweeper=optuna has them")
    return Settings(**keys)


def _at_least(least: int) -> tuple[Callable[[Any], bool], str]:
    return lambda value: value >= least, f"a whole number from {least} up"


def _seconds_or_null() -> tuple[Callable[[Any], bool], str]:
    return lambda value: value is None or value > 0, "null, or seconds above 0"


_RULES: tuple[tuple[str, Callable[[Any], bool], str], ...] = (
    ("n_trials", *_at_least(1)),
    ("n_jobs", *_at_least(1)),
    ("seeds", *_at_least(1)),
    ("confirm", *_at_least(0)),
    ("retries", *_at_least(0)),
    ("max_failure_rate", lambda value: 0 <= value <= 1, "a share from 0 to 1"),
    ("trial_timeout", *_seconds_or_null()),
    ("timeout", *_seconds_or_null()),
    ("devices", lambda value: value is None or len(value) > 0, "null, or a list of devices"),
)


def directions(typed: Any, objectives: list[str]) -> list[Direction]:
    """Which way is better for each objective: as typed, else by the objective's name.

    Raises:
        UserError: not a direction, or not as many as objectives.
    """
    if typed is None:
        return [DIRECTIONS.get(name, "minimize") for name in objectives]
    listed = [_direction(way) for way in ([typed] if isinstance(typed, str) else typed)]
    if objectives and len(listed) != len(objectives):
        raise UserError(
            f"hydra.sweeper.direction has {len(listed)} entries for {len(objectives)} objectives "
            f"({', '.join(objectives)})"
        )
    return listed


def _direction(way: Any) -> Direction:
    if way == "minimize":
        return "minimize"
    if way == "maximize":
        return "maximize"
    raise UserError(f"hydra.sweeper.direction={way}: allowed are minimize, maximize")


def register() -> None:
    """Make the schema known to Hydra as ``hydra/sweeper/optuna_schema``."""
    ConfigStore.instance().store(
        group="hydra/sweeper",
        name="optuna_schema",
        node=Settings,
        provider="cnnsweep",
        replace=True,  # a worker takes over the launching process's store before it comes here
    )
