"""Files that many runs of a sweep have alike: what lies behind their data, and their code.

On disk such a file lies once, under the name that it has in each run's folder and the sweep's.
"""

import csv
import io
import os
from collections.abc import Iterable
from contextlib import suppress
from itertools import count
from pathlib import Path

from cnnsweep.folders.run_folder import UNFINISHED, RunFolder, as_csv, write_whole
from cnnsweep.folders.sweep_folder import sweep_around

DataFile = tuple[str, str, str]  # name, part, hash


def write_data_files(folder: RunFolder, files: Iterable[DataFile]) -> None:
    """Write name, part and hash of each file of the data; nothing where there are none."""
    listed = list(files)
    if listed:
        text = as_csv(("file", "part", "hash"), listed)
        _write(folder.data_files, text.encode(errors="surrogateescape"))


def read_data_files(folder: RunFolder) -> list[DataFile]:
    """What :func:`write_data_files` wrote; [] where the data have no files of their own."""
    try:
        text = folder.data_files.read_text(encoding="utf-8", errors="surrogateescape")
    except FileNotFoundError:
        return []
    rows = csv.reader(io.StringIO(text, newline=""))
    return [(row[0], row[1], row[2]) for row in list(rows)[1:] if len(row) == 3]


def write_patches(folder: RunFolder, patch: bytes, folder_patch: bytes) -> None:
    """Write the uncommitted changes of the code, and those of the folder that it ran in.

    Where there is only one of the two it is code.patch. Files of an earlier launch with other
    contents stay, with a number in their names.
    """
    wanted = [content for content in (patch, folder_patch) if content] + [b"", b""]
    for path, content in zip((folder.patch, folder.folder_patch), wanted, strict=False):
        if path.exists() and not _holds(path, content):
            free = (path.with_suffix(f".{n}{path.suffix}") for n in count(1))
            path.rename(next(place for place in free if not place.exists()))
        if content and not path.exists():
            _write(path, content)


def _write(path: Path, content: bytes) -> None:
    sweep = sweep_around(path.parent)
    first = None if sweep is None else sweep / path.name
    unfinished = path.with_name(path.name + UNFINISHED)
    if first is not None and _holds(first, content):
        try:
            unfinished.unlink(missing_ok=True)
            os.link(first, unfinished)
        except OSError:  # a file system without links
            write_whole(path, content)
        else:
            unfinished.replace(path)
            unfinished.unlink(missing_ok=True)  # stays where both names were one file already
        return
    write_whole(path, content)
    if first is not None:
        with suppress(OSError):  # another run was faster, or its contents are others
            os.link(path, first)


def _holds(path: Path, content: bytes) -> bool:
    try:
        return path.stat().st_size == len(content) and path.read_bytes() == content
    except FileNotFoundError:
        return False
