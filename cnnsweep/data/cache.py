"""Data sets decoded in this process, so that the jobs of a sweep decode them once."""

from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterable
from functools import cache
from pathlib import Path
from threading import Lock

from cnnsweep.data.dataset import Dataset

# Enough for a grid over a few data sets, and not the memory for all of them.
KEPT = 4

_kept: OrderedDict[Hashable, Dataset] = OrderedDict()
_lock = Lock()


def decoded_once(
    arguments: Hashable, files: Iterable[Path], decode: Callable[[], Dataset]
) -> Dataset:
    """What ``decode()`` gave for the same arguments and files, or gives now.

    A file counts as another one when its path, size or time of change differs. Test images are
    kept too, once they were asked for.
    """
    key = (arguments, *(_state(file) for file in files))
    with _lock:
        if key not in _kept:
            fresh = decode()
            _kept[key] = Dataset(fresh.name, fresh.classes, fresh.train, cache(fresh.test))
        _kept.move_to_end(key)
        while len(_kept) > KEPT:
            _kept.popitem(last=False)
        return _kept[key]


def _state(file: Path) -> tuple[str, int, int]:
    stat = file.stat()
    return str(file.resolve()), stat.st_size, stat.st_mtime_ns
