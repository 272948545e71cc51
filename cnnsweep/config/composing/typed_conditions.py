"""Parameters with a condition, typed as ``'optim.momentum={space: interval(0, 1), when: {…}}'``."""

import re

_ENTRIES = (
    re.compile(r"\{\s*space\s*:(?P<space>.+),\s*when\s*:(?P<when>.+)\}\s*", re.DOTALL),
    re.compile(r"\{\s*when\s*:(?P<when>.+\}\s*),\s*space\s*:(?P<space>.+)\}\s*", re.DOTALL),
)
_QUOTED = re.compile(r"""(['"])((?!\1).)*\1""", re.DOTALL)
_PARAMS = "++hydra.sweeper.params."


def with_condition(word: str) -> str:
    """The word that puts such a parameter among ``hydra.sweeper.params``; any other as it is."""
    key, sign, value = word.partition("=")
    found = next((m for entry in _ENTRIES if (m := entry.fullmatch(value.strip()))), None)
    if not sign or found is None or key.startswith(("hydra.", "+hydra.", "++hydra.", "~")):
        return word
    space, when = found["space"].strip(), found["when"].strip()
    quoted = space if _QUOTED.fullmatch(space) else "'" + space.replace("'", "\\'") + "'"
    escaped = key.replace(".", "\\.")
    return f"{_PARAMS}{escaped}={{space: {quoted}, when: {when}}}"
