"""Any error as one line for a person: the thing, the value, what is allowed.

Hydra's and OmegaConf's errors are read by their attributes, never by their text.
"""

import re
from enum import Enum
from typing import Any, get_origin

from hydra.errors import (
    HydraException,
    InstantiationException,
    MissingConfigException,
    OverrideParseException,
)
from omegaconf import Container, DictConfig, Node, OmegaConf
from omegaconf.errors import ConfigAttributeError, ConfigKeyError, OmegaConfBaseException

from cnnsweep.config import CONF_DIR, launchers
from cnnsweep.config.command_words import corrected, for_shell
from cnnsweep.config.hydra_internals import expected_type, root_of
from cnnsweep.config.nearest_key import suggestion
from cnnsweep.config.own_keys import options_with
from cnnsweep.config.sweeper_keys import FORMER, NODE, keys_of, keys_without_node, unknown_key
from cnnsweep.dotted_keys import leaves
from cnnsweep.errors import UserError, on_one_line, one_line, unknown
from cnnsweep.redact import masked, masked_word

_WORDS: dict[Any, str] = {
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    str: "text",
    list: "a list, [A, B]",
    dict: "a mapping, {KEY: VALUE}",
}
_SWEEPER = CONF_DIR / "hydra" / "sweeper" / "optuna.yaml"
_CHOICE = re.compile(r"([^=]+=)choice\((.+)\)", re.DOTALL)


def error_line(error: BaseException) -> str:
    """One line that begins with `error:` and says what to change, where that can be known."""
    return f"error: {masked(_said(error))}"


def short_error(error: BaseException) -> str:
    """The same without the word error before it."""
    return error_line(error).removeprefix("error: ")


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
    if isinstance(cause, OmegaConfBaseException) and (line := _wrong_type(cause)) is not None:
        return line
    if isinstance(error, InstantiationException) and error.__cause__ is not None:
        return _said(error.__cause__)
    if isinstance(error, OSError) and error.strerror:
        place = f"{error.filename}: " if error.filename else ""
        return f"{place}{error.strerror}"
    if isinstance(error, HydraException):
        return on_one_line(error)
    return one_line(error)


def _unreadable(word: str, message: str) -> str:
    """The line for an override that Hydra's grammar cannot read, with the word that it can."""
    shown = masked_word(word)
    if shown != word:  # the parser's message may show any piece of the password
        return (
            f"cannot read {shown!r}: a value with special characters needs quotes of its own, as "
            "in \"key='value'\""
        )
    if "=" not in word and not word.startswith("~"):
        example = f"{word}=10" if word in ("epochs", "seed") else "epochs=10"
        return f"cannot read {word!r}: what is typed is KEY=VALUE without spaces, as in {example}"
    if listed := _CHOICE.fullmatch(word):
        plain = for_shell("".join(listed.groups()))
        return f"cannot read {word!r}; values with commas between need no choice(): {plain}"
    better = corrected(word)
    if better is None:
        return f"cannot read {word!r}: {message}"
    return f"cannot read {word!r}; as text its value needs quotes of its own: {better}"


def _unknown_key(error: OmegaConfBaseException) -> str:
    key = str(error.full_key or error.key)
    parent, _, _ = key.rpartition(".")
    node = error.parent_node
    siblings = [str(k) for k in node if k != "hydra"] if isinstance(node, DictConfig) else []
    if parent == NODE.rstrip("."):
        return unknown_key(key.removeprefix(NODE), siblings)
    if parent.startswith(tuple(f"{NODE}{name}" for name in FORMER)):
        return unknown_key(key.removeprefix(NODE), keys_of("optuna"))
    beside = [f"{parent}.{name}" if parent else name for name in siblings]
    where = f" in {parent}" if parent else ""
    listed = ", ".join(sorted(siblings)) if isinstance(node, Container) else "none"
    hint = suggestion(key, [*beside, *_keys_of_a_run(node)])
    if not parent and key in keys_without_node():
        return f"unknown key {key!r}. Did you mean {NODE + key!r}? It is a sweep's, not a run's."
    if having := options_with(key):
        group = key.partition(".")[0]
        hint = f" {group}={', '.join(having)} {'have' if len(having) > 1 else 'has'} it."
    more = f" (+{key}=… is for what its target takes beside them.)" if _has_target(node) else ""
    return f"unknown key {key!r}.{hint} Allowed{where}: {listed}.{more}"


def _keys_of_a_run(node: Node | None) -> list[str]:
    """All keys of the config that a node is part of, without Hydra's."""
    root = None if node is None else root_of(node)
    if not isinstance(root, DictConfig):
        return []
    job = OmegaConf.masked_copy(root, [str(key) for key in root if key != "hydra"])
    plain: Any = OmegaConf.to_container(job, resolve=False)
    return [str(key) for key in leaves(plain)]


def _has_target(node: Node | None) -> bool:
    return isinstance(node, DictConfig) and "_target_" in node


def _wrong_type(error: OmegaConfBaseException) -> str | None:
    """The line for a value of a wrong type; None where the key has none."""
    if error.parent_node is None or not error.full_key:
        return None
    expected, may_be_null = expected_type(error.parent_node, error.key)
    words = _in_words(expected)
    if words is None:
        return None
    reason = str(error.msg or "").splitlines()[0]
    null = "null, or " if may_be_null else ""
    return f"{error.full_key}: {reason}; allowed: {null}{words}{_meaning(error.full_key)}"


def _in_words(expected: Any) -> str | None:
    if isinstance(expected, type) and issubclass(expected, Enum):
        return " or ".join(expected.__members__)
    return _WORDS.get(get_origin(expected) or expected)


def _meaning(key: str) -> str:
    """What our conf/ says of a key of the sweeper."""
    section, _, name = key.rpartition(".")
    if section != "hydra.sweeper":
        return ""
    found = re.search(rf"^{name}: .*?  # (.+)$", _SWEEPER.read_text(encoding="utf-8"), re.MULTILINE)
    return f" ({found[1]})" if found else ""
