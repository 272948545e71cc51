"""All that is used of Hydra's private names; a release may change them without a word.

``tests/config/test_hydra_internals.py`` says of each what breaks then.
"""

from typing import Any

from hydra._internal.callbacks import Callbacks
from hydra._internal.core_plugins.basic_launcher import BasicLauncher
from hydra._internal.core_plugins.basic_sweeper import BasicSweeper
from hydra._internal.grammar.utils import escape_special_characters
from hydra.core.override_parser.types import Override
from hydra.core.utils import JobReturn
from omegaconf import DictConfig

# What Hydra's config has as ``_target_`` where no other launcher or sweeper is chosen.
BASIC_LAUNCHER = f"{BasicLauncher.__module__}.{BasicLauncher.__name__}"
BASIC_SWEEPER = f"{BasicSweeper.__module__}.{BasicSweeper.__name__}"


def grid_of(overrides: list[Override]) -> list[list[str]]:
    """The overrides of each job of a grid; public is only the sweeper, which runs them at once."""
    return BasicSweeper.split_arguments(overrides, None)[0]


def no_callbacks() -> Callbacks:
    """What a HydraContext must have, with none of the user's; no public class is one."""
    return Callbacks()


def outcome_of(job_return: JobReturn) -> Any:
    """What a task returned, or its error as it was raised.

    The public ``return_value`` prints to stderr and raises the error once more.
    """
    return job_return._return_value


def escaped(text: str) -> str:
    """A key of a mapping as it is typed: keys take no quotes, and nothing public escapes them."""
    return escape_special_characters(text)


def node_of(config: DictConfig, key: str) -> Any:
    """A key's node as it is, an interpolation unresolved; what is public resolves it."""
    return config._get_node(key)
