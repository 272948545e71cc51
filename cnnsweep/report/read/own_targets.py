"""The targets of our own config groups' options, to tell a network of ours from one's own."""

import re
from functools import cache

from cnnsweep import CONF_DIR
from cnnsweep.folders.recorded_defaults import RENAMED

_TARGET = re.compile(r"^_target_: *(\S+)", re.MULTILINE)


def is_replaced(group: str, option: str, target: object) -> bool:
    """Whether an option of ours (``model``, ``simple``) was given another target than its own."""
    own = _own_targets().get((group, option))
    return own is not None and target is not None and RENAMED.get(str(target), target) != own


@cache
def _own_targets() -> dict[tuple[str, str], str]:
    found = {}
    for path in CONF_DIR.glob("*/*.yaml"):
        target = _TARGET.search(path.read_text(encoding="utf-8"))
        if target is not None and target[1] != "null":
            found[path.parent.name, path.stem] = target[1]
    return found
