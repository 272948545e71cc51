"""All that is used of the private names of Hydra and OmegaConf. A release may change them.

``tests/config/test_hydra_internals.py`` says of each what breaks then.
"""

from argparse import ArgumentParser
from collections.abc import Callable
from traceback import extract_tb
from typing import Any

from hydra._internal.callbacks import Callbacks as Callbacks
from hydra._internal.config_loader_impl import ConfigLoaderImpl
from hydra._internal.config_repository import ConfigRepository as ConfigRepository
from hydra._internal.core_plugins.basic_launcher import BasicLauncher
from hydra._internal.core_plugins.basic_sweeper import BasicSweeper
from hydra._internal.grammar.utils import escape_special_characters
from hydra._internal.hydra import Hydra
from hydra._internal.utils import get_args_parser
from hydra.core.config_loader import ConfigLoader
from hydra.core.override_parser.types import Override
from hydra.core.utils import JobReturn
from hydra.errors import HydraException
from hydra.types import RunMode, TaskFunction
from omegaconf import DictConfig
from omegaconf.errors import OmegaConfBaseException

# What Hydra's config has as ``_target_`` where no other launcher or sweeper is chosen.
BASIC_LAUNCHER = f"{BasicLauncher.__module__}.{BasicLauncher.__name__}"
BASIC_SWEEPER = f"{BasicSweeper.__module__}.{BasicSweeper.__name__}"


def grid_of(overrides: list[Override]) -> list[list[str]]:
    """The overrides of each job of a grid; public is only the sweeper, which runs them at once."""
    return BasicSweeper.split_arguments(overrides, None)[0]


def repository_of(loader: ConfigLoader) -> ConfigRepository | None:
    """Where a loader finds its configs; None for a loader of somebody's own."""
    return loader.repository if isinstance(loader, ConfigLoaderImpl) else None


def set_repository(loader: ConfigLoader, kind: type[ConfigRepository]) -> None:
    """Have a loader find its configs with another class, in the same places."""
    if isinstance(loader, ConfigLoaderImpl):
        loader.repository = kind(loader.config_search_path)


def no_callbacks() -> Callbacks:
    """What a HydraContext must have, with none of the user's; no public class is one."""
    return Callbacks()


_at_job_end: list[Callable[[JobReturn], None]] = []


def at_job_end(act: Callable[[JobReturn], None]) -> None:
    """Have ``act`` called whenever a job of Hydra's ends in this process, in whatever way.

    Publicly only the config brings callbacks, and it is read before any job begins.
    """
    if not _at_job_end:
        Callbacks.on_job_end = _end_job  # type: ignore[method-assign]
    if act not in _at_job_end:
        _at_job_end.append(act)


_on_job_end = Callbacks.on_job_end


def _end_job(self: Callbacks, config: DictConfig, job_return: JobReturn, **more: Any) -> None:
    _on_job_end(self, config=config, job_return=job_return, **more)
    for act in _at_job_end:
        act(job_return)


WrongComposition = Callable[[Exception, ConfigLoader, str | None, list[str], TaskFunction], None]
_at_wrong_composition: list[WrongComposition] = []


def at_wrong_composition(act: WrongComposition) -> None:
    """Have ``act`` called where the config of a sweep of this process does not compose.

    It gets the error, the loader, the main config's name, the words that were typed, and the task.
    """
    if not _at_wrong_composition:
        Hydra.multirun = _multirun_or_act  # type: ignore[method-assign, assignment]
    if act not in _at_wrong_composition:
        _at_wrong_composition.append(act)


_multirun = Hydra.multirun


def _multirun_or_act(
    self: Hydra,
    config_name: str | None,
    task_function: TaskFunction,
    overrides: list[str],
    **more: Any,
) -> Any:
    try:
        return _multirun(self, config_name, task_function, overrides, **more)
    except (HydraException, OmegaConfBaseException) as error:
        names = [frame.name for frame in extract_tb(error.__traceback__)]
        if Hydra.compose_config.__name__ in names:  # else a job's, or of what comes after
            for act in _at_wrong_composition:
                act(error, self.config_loader, config_name, overrides, task_function)
        raise


def compose_sweep(loader: ConfigLoader, config_name: str | None, words: list[str]) -> DictConfig:
    """The config of a sweep; the loader keeps the places of its search path, as Hydra has it do.

    Raises:
        hydra.errors.HydraException: it does not compose.
    """
    if not isinstance(loader, ConfigLoaderImpl):
        return loader.load_configuration(config_name, words, run_mode=RunMode.MULTIRUN)
    return loader._load_configuration(
        config_name=config_name,
        overrides=words,
        run_mode=RunMode.MULTIRUN,
        from_shell=True,
        validate_sweep_overrides=True,
        skip_missing_defaults=False,
        activate_config_repository=True,
    )


def outcome_of(job_return: JobReturn) -> Any:
    """What a task returned, or its error as it was raised.

    The public ``return_value`` prints to stderr and raises the error once more.
    """
    return job_return._return_value


def escaped(key: str) -> str:
    """A key of a mapping as the override grammar reads it."""
    return escape_special_characters(key)


def node_of(config: DictConfig, key: str) -> Any:
    """A key's node, its interpolations unresolved; ``config[key]`` gives what they stand for."""
    return config._get_node(key)


def root_of(node: Any) -> Any:
    """The whole config that a node is part of; publicly a node knows only what is below it."""
    return node._get_root()


def command_line_parser() -> ArgumentParser:
    """The parser of the command line's options, which Hydra makes anew for itself."""
    parser: ArgumentParser = get_args_parser()
    return parser


def option_names(parser: ArgumentParser, *, with_value: bool = False) -> list[str]:
    """All options of a command line, or those that must be followed by a value."""
    actions = [a for a in parser._actions if not with_value or a.nargs is None]
    return [name for action in actions for name in action.option_strings]


def expected_type(node: Any, key: Any) -> tuple[Any, bool]:
    """The type that a key of a structured config has, and whether it may be null.

    Any for a key without one.
    """
    try:
        metadata = node._get_node(key)._metadata
    except (OmegaConfBaseException, AttributeError):
        return Any, True
    return metadata.ref_type, metadata.optional
