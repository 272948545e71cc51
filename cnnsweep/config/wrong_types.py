"""What is allowed for a key of Hydra's own part, whose values have types."""

import re
from enum import Enum
from typing import Any, get_origin

from omegaconf.errors import OmegaConfBaseException

from cnnsweep.config import CONF_DIR
from cnnsweep.config.hydra_internals import expected_type

_WORDS: dict[Any, str] = {
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    str: "text",
    list: "a list, [A, B]",
    dict: "a mapping, {KEY: VALUE}",
}
_SWEEPER = CONF_DIR / "hydra" / "sweeper" / "optuna.yaml"


def wrong_type(error: OmegaConfBaseException) -> str | None:
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
