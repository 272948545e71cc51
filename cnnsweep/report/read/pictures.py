"""Test images for the page, only where it is certain that they are those that a run saw.

What a config names as its folder may be gone, hold other files by now, or be a stranger's guess at
ours: labels, and the hashes in the run's data.csv, must be those of the files.
"""

import base64
import gzip
import io
from collections.abc import Iterable
from hashlib import blake2b, md5
from pathlib import Path, PurePosixPath

import numpy as np

from cnnsweep.errors import printable
from cnnsweep.folders.run_folder import RunFolder
from cnnsweep.folders.shared_files import read_data_files
from cnnsweep.report.read.image_files import Absent, Pixels, SplitImages, reader
from cnnsweep.report.read.predictions import Predictions, files_of
from cnnsweep.report.read.run_record import Run

_OURS, _OWN_IMAGES = "cnnsweep.data.", "image_folder"
_SIDE = 96  # pixels of a picture of one's own
_LARGEST = 64 << 20  # bytes of such a file
_MD5 = 32  # letters of it; other hashes are BLAKE2b's, of as many bytes as they have


def pictures(
    run: Run, seen: Predictions, indices: Iterable[int], root: Path | None
) -> tuple[dict[int, str], str]:
    """A ``data:`` address of each test image that is there, and a line on why others are not.

    Args:
        run: the run that saw them.
        seen: its predictions.
        indices: the numbers of the images wanted.
        root: where the files of the data lie; None: where the run's config says.
    """
    target = str(run.config.get("data._target_"))
    data = target.rpartition(".")[2]
    wanted = list(indices)
    place = root or run.config.get("data.root")
    if not target.startswith(_OURS):
        return {}, "The images are not shown: they are of a data set of one's own."
    try:
        if data == _OWN_IMAGES:
            return _own(run, wanted, _folder(place))
        split = run.config.get("data.split")
        read = reader(data, None if split is None else str(split))
        if read is None:
            return {}, ""
        found = read(Path() if data == "digits" else _folder(place))
        _check(found, run, seen)
        return {index: address(found.images[index]) for index in wanted}, ""
    except Absent as reason:
        return {}, f"The images are not shown: {reason}. --images DIR names their folder."


def _folder(place: object) -> Path:
    """Where to look. Raises Absent where it is gone."""
    path = Path(str(place)) if place else None
    if path is None or not path.is_dir():
        raise Absent(f"data.root={place} is no folder here")
    return path


def _check(found: SplitImages, run: Run, seen: Predictions) -> None:
    """Raises Absent where they may not be the images that the run saw."""
    recorded = {name: hash for name, _, hash in _data_files(run)}
    count = len(seen.index)
    if len(found.images) != count or not np.array_equal(seen.index, np.arange(count)):
        raise Absent(f"the run has seen {count:,} images, and there are {len(found.images):,}")
    if found.labels is not None and not np.array_equal(found.labels, seen.label):
        raise Absent("the files there hold other labels than the run has seen")
    for name, path in found.files.items():
        if name in recorded and not _has(path, recorded[name]):
            raise Absent(f"{path} is not the file that the run has read")
    if found.labels is None and not found.files.keys() <= recorded.keys():
        raise Absent("the run has not recorded which files it has read")


def _data_files(run: Run) -> list[tuple[str, str, str]]:
    try:
        return read_data_files(RunFolder(run.folder))
    except OSError:
        return []


def _has(path: Path, recorded: str) -> bool:
    """Whether a file's contents have the hash that a run has recorded of them."""
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as stream:
            content = stream.read()
    except OSError:
        return False
    if len(recorded) == _MD5:
        return md5(content, usedforsecurity=False).hexdigest() == recorded
    size = len(recorded) // 2
    return 0 < size <= 64 and blake2b(content, digest_size=size).hexdigest() == recorded


def _own(run: Run, wanted: list[int], root: Path) -> tuple[dict[int, str], str]:
    """Pictures of the user's own folder: each must be the file that the run has read."""
    recorded = {printable(name): (name, hash) for name, _, hash in _data_files(run)}
    if not recorded:
        raise Absent("the run has not recorded which files it has read")
    found = {}
    named = files_of(run, wanted)
    for index in wanted:
        name, hash = recorded.get(named.get(index, ""), ("", ""))
        shown = _picture(root / name, hash) if name and _is_below(name) else None
        if shown is not None:
            found[index] = shown
    lost = len(wanted) - len(found)
    line = f"{lost} of {len(wanted)} images are not shown: their files below {root} are gone or "
    return found, f"{line}others than the run has read." if lost else ""


def _is_below(name: str) -> bool:
    path = PurePosixPath(name)
    return not path.is_absolute() and ".." not in path.parts


def _picture(path: Path, hash: str) -> str | None:
    # Imported here: few reports show pictures of one's own.
    from cnnsweep.data.pictures.prepare import Unusable, prepare, quietly

    try:
        if not path.is_file() or path.stat().st_size > _LARGEST or not _has(path, hash):
            return None
        with quietly():
            pixels = prepare(path, channels=3, size=(_SIDE, _SIDE)).pixels
    except (OSError, ValueError, Unusable):
        return None
    return address(pixels.transpose(1, 2, 0), "JPEG")


def address(pixels: Pixels, kind: str = "PNG") -> str:
    """A picture as a ``data:`` address."""
    from PIL import Image  # few reports show images

    file = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(pixels)).save(file, kind, quality=85)
    return f"data:image/{kind.lower()};base64,{base64.b64encode(file.getvalue()).decode()}"
