"""What an option sets that stands for many groups, as an experiment or a search does."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import yaml

from cnnsweep.dotted_keys import leaves, look_up


def keys_of_options(group: str, options: Iterable[str], folders: Sequence[Path]) -> list[str]:
    """The keys that options of a group set, the groups that they choose, and what they search over.

    Args:
        folders: where their files may be; one that is in none of them gives nothing.
    """
    found: list[str] = []
    for option in options:
        for folder in folders:
            path = folder / group / f"{option.removesuffix('.yaml')}.yaml"
            if path.is_file():
                found += _keys(yaml.safe_load(path.read_text(encoding="utf-8")) or {})
                break
    return found


def _keys(content: dict[str, Any]) -> list[str]:
    chosen = [key for one in content.get("defaults", []) if isinstance(one, dict) for key in one]
    groups = [str(key).removeprefix("override ").lstrip("/") for key in chosen]
    space = [
        str(key)
        for part in ("params", "compare")
        for key in look_up(content, f"hydra.sweeper.{part}") or {}
    ]
    plain = {key: value for key, value in content.items() if key not in ("defaults", "hydra")}
    return [*(g for g in groups if not g.startswith("hydra/")), *space, *leaves(plain)]
