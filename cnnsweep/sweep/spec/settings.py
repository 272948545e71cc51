"""The keys below ``hydra.sweeper``; imported at every start of Hydra: no torch, no Optuna."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields
from pathlib import Path, PurePath
from typing import Any

from hydra.core.config_store import ConfigStore
from hydra.errors import InstantiationException
from omegaconf import MISSING, DictConfig
from omegaconf.errors import OmegaConfBaseException

from cnnsweep.config.sweeper_keys import FORMER, unknown_key
from cnnsweep.errors import UserError, causes, one_line
from cnnsweep.metric_names import DIRECTIONS, Direction
from cnnsweep.rules import Rule, as_typed, choice, flag, or_null, whole, with_home


@dataclass
class SharedSettings:
    """What every sweep has: who works, for how long, and what is kept.

    Raises:
        UserError: a value is out of range.
    """

    _target_: str = MISSING
    n_jobs: Any = MISSING
    stack: Any = MISSING
    devices: list[Any] | None = MISSING
    retries: int = MISSING
    trial_timeout: float | None = MISSING
    timeout: float | None = MISSING
    shared: bool = MISSING
    keep_best: int | None = MISSING
    dry_run: bool = False

    def __post_init__(self) -> None:
        for rule in _RULES:
            name = rule.key.removeprefix(_NODE)
            if hasattr(self, name):
                rule.check(getattr(self, name))


@dataclass
class GridSettings(SharedSettings):
    """Hydra's schema of a grid's sweeper node, and the values it hands over, checked.

    conf/hydra/sweeper/grid.yaml says what each key means. Mappings and lists arrive as OmegaConf's.
    """

    params: dict[str, Any] | None = MISSING
    max_batch_size: int | None = MISSING


@dataclass
class Settings(SharedSettings):
    """Hydra's schema of a search's sweeper node, and the values it hands over, checked.

    conf/hydra/sweeper/optuna.yaml says what each key means. Unlike Hydra's sweeper: ``direction``
    may be null (from the objective), ``n_trials`` counts all launches, ``max_failure_rate`` is of
    *finished* trials. ``sampler`` and ``pruner`` are Any: their keys belong to their own config
    groups; so is ``compare``, since Hydra adds no key to a mapping of a schema; ``n_jobs`` and
    ``stack`` are numbers or ``auto``, ``points`` a file or a folder, ``warm_start`` a folder or a
    list of them. Mappings and lists arrive as OmegaConf's.
    """

    sampler: Any = MISSING
    metric: str | None = MISSING
    direction: Any = MISSING
    checkpoint: str | None = MISSING
    storage: str | None = MISSING
    study_name: str | None = MISSING
    n_trials: int = MISSING
    searches: int = MISSING
    default_first: bool = MISSING
    points: Any = MISSING
    warm_start: Any = MISSING
    max_failure_rate: float = MISSING
    params: dict[str, Any] | None = MISSING  # a text, or a mapping with a condition
    custom_search_space: str | None = MISSING
    pruner: Any = MISSING
    seeds: int = MISSING
    confirm: int = MISSING
    keep_paused: bool = MISSING
    compare: Any = MISSING
    search_space: Any = None  # this and what follows: FORMER, so that YAMLs with one compose
    optuna_config: Any = None
    experiment_sequence: Any = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.storage is not None:
            self.storage = with_home(self.storage)
        if isinstance(self.points, str):
            self.points = with_home(self.points)

    @property
    def earlier(self) -> tuple[str, ...]:
        """The folders of ``warm_start``, each once, as it is typed first."""
        typed = self.warm_start or ()
        found: dict[Path, str] = {}
        for folder in map(with_home, [typed] if isinstance(typed, str) else typed):
            found.setdefault(Path(folder).resolve(), folder)
        return tuple(found.values())


def is_for_searches(keys: Mapping[str, Any]) -> bool:
    """Whether the sweeper's keys are a search's; those of a grid have no number of trials."""
    return "n_trials" in keys


def read_settings(keys: Mapping[str, Any]) -> Settings:
    """The settings of a search that Hydra hands over.

    Raises:
        UserError: a key is missing (another sweeper's config), or its value is out of range.
    """
    return Settings(**_complete(keys, Settings, "optuna"))


def read_grid_settings(keys: Mapping[str, Any]) -> GridSettings:
    """The settings of a grid that Hydra hands over; raises as :func:`read_settings` does."""
    return GridSettings(**_complete(keys, GridSettings, "grid"))


def _complete(keys: Mapping[str, Any], schema: type, option: str) -> dict[str, Any]:
    known = {field.name for field in fields(schema)} - {"_target_"}  # which Hydra keeps
    missing = sorted(known - keys.keys() - {*FORMER})
    if missing:
        raise UserError(
            f"hydra.sweeper lacks {', '.join(missing)}; hydra/sweeper={option} has them"
        )
    for name in keys:
        if name not in known:
            raise UserError(unknown_key(name, known))
    return dict(keys)


_NODE = "hydra.sweeper."


def _seconds(key: str) -> Rule:
    return or_null(Rule(key, lambda v: v > 0, "seconds above 0"))


def _is_of_options(value: Any) -> bool:
    if not isinstance(value, Mapping):
        return False
    return all(isinstance(one, Sequence) and not isinstance(one, str) for one in value.values())


def _is_of_folders(value: Any) -> bool:
    listed = [value] if isinstance(value, str) else value
    is_list = isinstance(listed, Sequence)
    return is_list and all(isinstance(one, str) and one for one in listed)


def _is_path(value: Any) -> bool:
    return isinstance(value, str) and value != ""


def _is_below(name: str) -> bool:
    path = PurePath(name)
    return bool(path.name) and not path.is_absolute() and ".." not in path.parts


_RULES = (
    whole(f"{_NODE}n_trials", 1),
    whole(f"{_NODE}searches", 1),
    flag(f"{_NODE}default_first"),
    or_null(Rule(f"{_NODE}points", _is_path, "a file or a folder, as text")),
    or_null(Rule(f"{_NODE}warm_start", _is_of_folders, "the folder of a sweep, or a list of them")),
    whole(f"{_NODE}n_jobs", 1, "auto"),
    whole(f"{_NODE}stack", 1, "auto"),
    whole(f"{_NODE}seeds", 1),
    whole(f"{_NODE}confirm", 0),
    flag(f"{_NODE}keep_paused"),
    or_null(whole(f"{_NODE}max_batch_size", 1)),
    whole(f"{_NODE}retries", 0),
    Rule(f"{_NODE}max_failure_rate", lambda v: 0 <= v <= 1, "a share from 0 to 1"),
    _seconds(f"{_NODE}trial_timeout"),
    _seconds(f"{_NODE}timeout"),
    or_null(whole(f"{_NODE}keep_best", 0)),
    flag(f"{_NODE}dry_run"),
    or_null(Rule(f"{_NODE}metric", lambda v: bool(v.strip()), "a metric's name")),
    or_null(Rule(f"{_NODE}checkpoint", _is_below, "a file's name in the run's folder")),
    or_null(
        Rule(
            f"{_NODE}compare",
            _is_of_options,
            "a config group with its options, e.g. {model: [simple, lenet]}",
        )
    ),
    or_null(Rule(f"{_NODE}devices", lambda v: len(v) > 0, "a list of devices")),
)


def directions(typed: Any, objectives: list[str]) -> list[Direction]:
    """Which way is better for each objective: as typed, else by the objective's name.

    Raises:
        UserError: not a direction, or not as many as objectives.
    """
    if typed is None:
        return [DIRECTIONS.get(name, "minimize") for name in objectives]
    listed: list[Any] = [typed] if isinstance(typed, str) else list(typed)
    for way in listed:
        choice("hydra.sweeper.direction", "minimize", "maximize").check(way)
    if objectives and len(listed) != len(objectives):
        raise UserError(
            f"hydra.sweeper.direction has {len(listed)} entries for {len(objectives)} objectives "
            f"({', '.join(objectives)})"
        )
    return listed


@contextmanager
def naming_keys(name: str, node: DictConfig) -> Iterator[None]:
    """A block that makes a sampler or a pruner of its keys, which its own complaints do not name.

    Raises:
        UserError: it was refused, with the keys and the reason.
    """
    try:
        yield
    except (InstantiationException, ArithmeticError, TypeError, ValueError) as error:
        *_, first = causes(error)
        if isinstance(first, UserError | InstantiationException | OmegaConfBaseException):
            raise
        names = (name for name in map(str, node) if not name.startswith("_"))
        keys = (f"{name}={as_typed(node[name])}" for name in names)
        raise UserError(
            f"{_NODE}{name}: {node['_target_']} cannot be made of {', '.join(keys)}: "
            f"{one_line(first)}"
        ) from error


def register() -> None:
    """Make the schemas known to Hydra as ``hydra/sweeper/optuna_schema`` and ``grid_schema``."""
    for name, schema in (("optuna_schema", Settings), ("grid_schema", GridSettings)):
        ConfigStore.instance().store(
            group="hydra/sweeper",
            name=name,
            node=schema,
            provider="cnnsweep",
            replace=True,  # a worker takes over the launching process's store before it comes here
        )
