"""Any error as one line for a person: the thing, the value, what is allowed.

Hydra's and OmegaConf's errors are read by their attributes, never by their text.
"""

from difflib import get_close_matches

from hydra.errors import (
    HydraException,
    InstantiationException,
    MissingConfigException,
    OverrideParseException,
)
from omegaconf import Container, DictConfig
from omegaconf.errors import ConfigAttributeError, ConfigKeyError, OmegaConfBaseException

from cnnsweep.config import launchers
from cnnsweep.errors import UserError, on_one_line, one_line, unknown
from cnnsweep.redact import masked, masked_word


def error_line(error: BaseException) -> str:
    """One line that begins with `error:` and says what to change, where that can be known."""
    return f"error: {masked(_said(error))}"


def _said(error: BaseException) -> str:
    if isinstance(error, UserError):
        return one_line(error)
    if isinstance(error, MissingConfigException) and error.missing_cfg_file and error.options:
        group, _, name = error.missing_cfg_file.rpartition("/")
        if group == "hydra/launcher" and name in launchers.EXTRAS:
            return str(launchers.not_installed(name))
        return str(unknown(group or "config", name, error.options))
    if isinstance(error, OverrideParseException):
        return _unreadable(str(error.override), on_one_line(error.message))
    cause = error if isinstance(error, OmegaConfBaseException) else error.__cause__
    if isinstance(cause, ConfigAttributeError | ConfigKeyError):
        return _unknown_key(cause)
    if isinstance(error, InstantiationException) and error.__cause__ is not None:
        return _said(error.__cause__)
    if isinstance(error, OSError) and error.strerror:
        place = f"{error.filename}: " if error.filename else ""
        return f"{place}{error.strerror}"
    if isinstance(error, HydraException):
        return on_one_line(error)
    return one_line(error)


def _unreadable(override: str, message: str) -> str:
    shown = masked_word(override)
    if shown != override:  # the parser's message may show any piece of the password
        message = "a value with special characters needs quotes of its own, as in \"key='value'\""
    return f"cannot read {shown!r}: {message}"


def _unknown_key(error: OmegaConfBaseException) -> str:
    key = str(error.full_key or error.key)
    parent, _, name = key.rpartition(".")
    node = error.parent_node
    siblings = [str(k) for k in node] if isinstance(node, DictConfig) else []
    where = f" in {parent}" if parent else ""
    near = get_close_matches(name, siblings, n=1, cutoff=0.5)
    hint = f" Did you mean {'.'.join(filter(None, (parent, near[0])))!r}?" if near else ""
    listed = ", ".join(sorted(siblings)) if isinstance(node, Container) else "none"
    return f"unknown key {key!r}.{hint} Allowed{where}: {listed}. (+{key}=… adds a new key.)"
