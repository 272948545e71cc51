"""What earlier calls read, so that a second one on the same folders only looks at time stamps."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from cnnsweep import __version__
from cnnsweep.folders.run_folder import write_text_whole
from cnnsweep.report.find import Found
from cnnsweep.report.run import Run

FILE = ".cache.jsonl"
_FORMAT = f"cnnsweep report {__version__}, 1"
_SHAPE = {"config": dict, "result": dict, "metrics": dict, "problems": list, "status": str}


class Cache:
    """Runs by folder, each with the stamps of the files it was read from. Plain JSON lines."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._known = {} if path is None else _load(path)
        self.hits = 0

    def get(self, found: Found) -> Run | None:
        """The run as it was read, if none of its files has changed in size or time since."""
        stamps, plain = self._known.get(str(found.folder), (None, None))
        if plain is None or stamps != {name: list(s) for name, s in found.files.items()}:
            return None
        self.hits += 1
        return Run(folder=found.folder, **plain)

    def keep(self, pairs: Iterable[tuple[Found, Run]], total: int) -> None:
        """Write the runs for the next call, unless it would read the same as this one."""
        if self._path is None or self.hits == total == len(self._known):
            return
        lines = [json.dumps(_FORMAT)]
        lines += [json.dumps([str(f.folder), f.files, r.as_plain()]) for f, r in pairs]
        self._path.parent.mkdir(parents=True, exist_ok=True)
        write_text_whole(self._path, "\n".join(lines))


def _load(path: Path) -> dict[str, tuple[Mapping[str, Any], dict[str, Any]]]:
    """Nothing where the cache is absent, damaged or of another version: it is only a cache."""
    if path.is_symlink() or not path.is_file():
        return {}
    try:
        with path.open(encoding="utf-8") as lines:
            if json.loads(next(lines)) != _FORMAT:
                return {}
            entries = [json.loads(line) for line in lines]
            return {e[0]: (e[1], e[2]) for e in entries if _fits(e[2])}
    except (OSError, ValueError, LookupError, TypeError, StopIteration, RecursionError):
        return {}


def _fits(plain: Any) -> bool:
    return all(isinstance(plain[name], kind) for name, kind in _SHAPE.items())
