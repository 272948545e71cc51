"""From a part of the config to a logger, in the logger's own process."""

import inspect
from typing import Any

from hydra.errors import InstantiationException
from hydra.utils import execution_whitelist, get_object, instantiate

from cnnsweep.config.allowed_targets import allowed_targets
from cnnsweep.config.instantiate import refusal
from cnnsweep.config.trackers import missing, package_of
from cnnsweep.errors import causes
from cnnsweep.loggers.base import RunInfo


def make(name: str, node: dict[str, Any], run: RunInfo) -> Any:
    """The logger of a part of the config.

    Raises:
        UserError: it cannot be made of these keys, or its package is not there.
        ConnectionError: a server that it needs is not there.
    """
    target = str(node["_target_"])
    try:
        with execution_whitelist(allowed_targets()):
            parameters = inspect.signature(get_object(target)).parameters
            known: dict[str, Any] = {"run": run, "folder": run.folder}
            fitting = {key: value for key, value in known.items() if key in parameters}
            return instantiate(node, _convert_="all", **fitting)
    except (InstantiationException, ImportError, TypeError) as error:
        behind = list(causes(error))
        if target.startswith("cnnsweep.") and _has(behind, ModuleNotFoundError):
            raise missing(package_of(target)) from error
        if _has(behind, ConnectionError):
            raise behind[-1] from error
        raise refusal(f"logger.{name}", target, error) from error


def _has(errors: list[BaseException], kind: type[BaseException]) -> bool:
    return any(isinstance(error, kind) for error in errors)
