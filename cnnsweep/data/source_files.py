"""Where a data set's files lie: the folder typed, downloads, and each decoded once a process."""

from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterable
from contextlib import redirect_stdout
from functools import cache
from http.client import HTTPException
from io import StringIO
from pathlib import Path
from threading import Lock
from zipfile import BadZipFile

from cnnsweep.data.dataset import Dataset
from cnnsweep.errors import UserError, on_one_line
from cnnsweep.torchvision_import import torchvision


def as_folder(root: str | Path) -> Path:
    """``root`` as an absolute path, ~ and links resolved; it need not exist.

    Raises UserError where it is no path (``data.root=null``).
    """
    if not isinstance(root, str | Path) or not str(root):
        raise UserError(f"data.root={root}: allowed is the path of a folder.")
    return Path(root).expanduser().resolve()


def missing(name: str, what: str, root: Path) -> UserError:
    """An error for files that are not below ``root``; ``what`` names them."""
    return UserError(
        f"data={name}: {what} not found below data.root={root}. Set data.root to the folder that "
        "holds the files, or data.download=true to download them, or data=digits, "
        "which needs no files."
    )


def download(name: str, root: Path, fetch: Callable[[], object]) -> None:
    """Runs ``fetch``, torchvision's download into ``root``.

    Raises UserError where the network, the server or the disk does not let it.
    """
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


def check_md5(file: Path, md5: str) -> None:
    """Raises UserError where a file is not the published one."""
    if not torchvision().datasets.utils.check_integrity(str(file), md5):
        raise UserError(
            f"{file} is truncated or damaged: its MD5 is not the published {md5}. "
            "Delete it and set data.download=true."
        )


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
