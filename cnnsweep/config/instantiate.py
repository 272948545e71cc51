"""From a config's groups to objects: every `_target_` is called here."""

import inspect
import logging
import sys
from collections.abc import Callable, Mapping
from difflib import get_close_matches
from types import ModuleType
from typing import Any, cast

from hydra.errors import InstantiationException
from hydra.utils import get_object, instantiate
from omegaconf import DictConfig, OmegaConf

from cnnsweep.errors import UserError, causes, on_one_line

log = logging.getLogger(__name__)
_OURS = "cnnsweep."


def build(
    group: str,
    node: DictConfig,
    *,
    without: tuple[str, ...] = (),
    partial: bool = False,
    **known: Any,
) -> Any:
    """Call the target of one group of the config; with ``partial`` leave the call to the caller.

    ``without`` are keys that are not the target's; ``known`` is what a config cannot know (sizes of
    the data, say): a target gets what it has parameters for. A target that replaces one of ours
    does not get the keys that only ours has.

    Returns:
        The object, a partial where the group says so, None for a group without a target.

    Raises:
        UserError: the target cannot be found or does not take these values; names both.
    """
    if node._target_ is None:
        return None
    target = str(node._target_)
    plain = cast(dict[str, Any], OmegaConf.to_container(node, resolve=True))
    arguments = {k: v for k, v in plain.items() if k not in without and k != "_target_"}
    try:
        accepted = _parameters(target)
        if accepted is not None:
            known = {key: value for key, value in known.items() if key in accepted}
            if not target.startswith(_OURS):
                arguments = _fitting(target, arguments, accepted)
        if partial:
            arguments["_partial_"] = True
        called = OmegaConf.create({"_target_": target} | arguments)
        return instantiate(called, _convert_="all", **known)
    except (InstantiationException, ImportError) as error:
        raise refusal(group, target, error) from error


def call(group: str, target: str, make: Callable[..., Any], *arguments: Any) -> Any:
    """Call a partial that :func:`build` made; what it refuses becomes UserError."""
    try:
        return make(*arguments)
    except (TypeError, ValueError) as error:
        raise refusal(group, target, error) from error


def parameters_of(group: str, target: str) -> set[str] | None:
    """Names of the parameters that a target takes from its group; None where it takes any.

    Raises:
        UserError: it cannot be found; names the group.
    """
    try:
        return _parameters(target)
    except (InstantiationException, ImportError, TypeError, ValueError) as error:
        raise refusal(group, target, error) from error


def _parameters(target: str) -> set[str] | None:
    parameters = inspect.signature(get_object(target)).parameters.values()
    if any(p.kind is inspect.Parameter.VAR_KEYWORD for p in parameters):
        return None
    by_name = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    return {p.name for p in parameters if p.kind in by_name}


def _fitting(target: str, arguments: Mapping[str, Any], accepted: set[str]) -> dict[str, Any]:
    """Without what our own conf/ has for the target that this one replaces.

    What somebody gave was refused before the run: ``config/used_keys.py``.
    """
    strange = [key for key in arguments if not key.startswith("_") and key not in accepted]
    if strange:
        log.info("%s has no %s: left out", target, ", ".join(strange))
    return {key: value for key, value in arguments.items() if key not in strange}


def refusal(group: str, target: str, error: BaseException) -> UserError:
    """The one line for a target that cannot be made; its reason is the first cause's."""
    *_, cause = causes(error)
    if isinstance(cause, UserError):
        return cause
    module, _, name = target.rpartition(".")
    if isinstance(cause, ImportError) and module in sys.modules:  # Python speaks of packages
        near = get_close_matches(name, _callables(sys.modules[module]), n=1)
        hint = f". Did you mean {module}.{near[0]}?" if near else ""
        return UserError(f"{group}._target_={target} cannot be made: {module} has no {name}{hint}")
    reason = on_one_line(cause) or type(cause).__name__
    return UserError(f"{group}._target_={target} cannot be made: {reason}")


def _callables(module: ModuleType) -> list[str]:
    """What of a module may be a target."""
    return [key for key, one in vars(module).items() if key[0] != "_" and callable(one)]
