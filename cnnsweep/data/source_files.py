"""A data set's files: their folder, downloads, checks, and decoding once in a process."""

from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from contextlib import contextmanager, redirect_stdout
from dataclasses import replace
from functools import cache
from http.client import HTTPException
from io import StringIO
from pathlib import Path
from threading import Lock
from zipfile import BadZipFile

from cnnsweep.data.dataset import Dataset
from cnnsweep.data.pictures.places import missing
from cnnsweep.errors import UserError, on_one_line
from cnnsweep.torchvision_import import torchvision


def all_present(
    name: str, root: Path, files: Iterable[Path], fetch: Callable[[], object] | None
) -> None:
    """Fetches files, all below ``root``, if one is not there; ``fetch`` None: downloads nothing.

    Raises UserError where one is missing after all, or as `download` does.
    """
    if fetch is not None and not all(file.is_file() for file in files):
        download(name, root, fetch)
    for file in files:
        if not file.is_file():
            raise missing(name, file.relative_to(root).as_posix(), root)


def download(name: str, root: Path, fetch: Callable[[], object]) -> None:
    """Runs ``fetch``, torchvision's download into ``root``.

    Raises UserError where the network, the server or the disk does not let it; WouldDownload in a
    block ``without_downloads``.
    """
    if _forbidden:
        raise WouldDownload(f"data={name}: a run would download its files to data.root={root}")
    try:
        # torchvision prints what it tries; its progress bar is on standard error.
        with redirect_stdout(StringIO()):
            fetch()
    except (OSError, RuntimeError, HTTPException, EOFError, BadZipFile) as error:
        reason = on_one_line(error) or type(error).__name__
        raise UserError(
            f"data={name}: downloading to data.root={root} failed ({reason}). Without a network, "
            "set data.root to a folder that holds the files, or data=digits, which needs none."
        ) from error


class WouldDownload(UserError):
    """Files are missing, and nobody may fetch them now."""


_forbidden: list[None] = []  # one for each block that forbids downloads


@contextmanager
def without_downloads() -> Iterator[None]:
    """Have `download` raise WouldDownload in the block."""
    _forbidden.append(None)
    try:
        yield
    finally:
        _forbidden.pop()


def check_md5(published: Mapping[Path, str]) -> None:
    """Raises UserError for the first file whose MD5 is not the published one."""
    for file, md5 in published.items():
        if not torchvision().datasets.utils.check_integrity(str(file), md5):
            raise UserError(
                f"{file} is truncated or damaged: its MD5 is not the published {md5}. "
                "Delete it and set data.download=true."
            )


# Enough for a grid over a few data sets; more would fill the memory.
KEPT = 4

_kept: OrderedDict[Hashable, Dataset] = OrderedDict()
_lock = Lock()


def decoded_once(
    arguments: Hashable, files: Iterable[Path], decode: Callable[[], Dataset]
) -> Dataset:
    """The result of ``decode()``, which is called once for the same arguments and files.

    A file counts as another one when its path, size or time of change differs. Test images are
    kept too, once ``test()`` has read them.
    """
    key = (arguments, *(_state(file) for file in files))
    with _lock:
        if key not in _kept:
            fresh = decode()
            _kept[key] = replace(fresh, test=cache(fresh.test))
        _kept.move_to_end(key)
        while len(_kept) > KEPT:
            _kept.popitem(last=False)
        return _kept[key]


def _state(file: Path) -> tuple[str, int, int]:
    stat = file.stat()
    return str(file.resolve()), stat.st_size, stat.st_mtime_ns
