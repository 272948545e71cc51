"""Many picture files -> tensors, and what a person should know of them before training."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from os import cpu_count
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch

from cnnsweep.data.dataset import Images
from cnnsweep.data.pictures.prepare import Prepared, Unusable, prepare, quietly
from cnnsweep.errors import UserError

Labelled = tuple[tuple[Path, int], ...]

_FLAT = 20  # levels of 255: pictures that span fewer look like one shade
_LEAST_USED = 0.25  # of the range of a picture of more than 8 bits: below, 2 bits or more are lost
_SHOWN_FILES = 3


class _Seen(NamedTuple):
    """What is kept of a picture beside its pixels: its darkest and lightest, 0..255."""

    low: int
    high: int
    largest: tuple[int, int] | None
    has_more_frames: bool


class Unread:
    """The files of all splits that cannot be used, so that one message names them."""

    def __init__(self) -> None:
        self._reasons: dict[Path, str] = {}
        self._count = 0

    def add(self, reasons: Mapping[Path, str], count: int) -> None:
        """Those of ``count`` files more."""
        self._reasons |= reasons
        self._count += count

    def refuse(self) -> None:
        """Raise UserError with the commonest reasons, each with its first files, if any."""
        if not self._reasons:
            return
        parts = []
        for reason, number in Counter(self._reasons.values()).most_common(_SHOWN_FILES):
            files = [str(file) for file, said in self._reasons.items() if said == reason]
            more = " …" if number > _SHOWN_FILES else ""
            parts.append(f"{', '.join(files[:_SHOWN_FILES])}{more} ({reason})")
        raise UserError(
            f"{len(self._reasons)} of {self._count} images cannot be read: {'; '.join(parts)}. "
            "Repair, convert or remove them."
        )


def decode(
    root: Path, split: str, files: Labelled, channels: int, size: int, unread: Unread
) -> tuple[Images, list[str]]:
    """The files' pictures, N × C × size × size, and lines for a person.

    Files that cannot be used are added to ``unread``; their pixels mean nothing.
    """
    pixels = np.empty((len(files), channels, size, size), np.uint8)

    def keep(number: int, prepared: Prepared) -> None:
        pixels[number] = prepared.pixels

    notes = _each(root, split, files, channels, size, keep, unread)
    labels = torch.tensor([label for _, label in files])
    return Images(torch.from_numpy(pixels), labels), notes


def check(
    root: Path, split: str, files: Labelled, channels: int, size: int, unread: Unread
) -> list[str]:
    """As `decode`, keeping no picture."""
    return _each(root, split, files, channels, size, lambda _number, _prepared: None, unread)


def repeated(names: Mapping[str, Sequence[str]], digests: Mapping[str, str]) -> list[str]:
    """A line for each split whose files lie, byte for byte, among those to train on as well.

    ``names`` of the files of each split, the first being the one to train on; ``digests`` of all.
    """
    train, *others = names.items()
    known = {digests[name]: name for name in reversed(train[1])}
    lines = []
    for split, files in others:
        pairs = [(name, known[digests[name]]) for name in files if digests[name] in known]
        if pairs:
            one, other = pairs[0]
            lines.append(
                f"{len(pairs)} of {len(files)} {split} pictures are also among those to train on, "
                f"byte for byte: {one} = {other}{' …' if len(pairs) > 1 else ''}"
            )
    return lines


def _each(
    root: Path,
    split: str,
    files: Labelled,
    channels: int,
    size: int,
    keep: Callable[[int, Prepared], None],
    unread: Unread,
) -> list[str]:
    def one(number: int) -> _Seen | str:
        try:
            prepared = prepare(files[number][0], channels=channels, size=(size, size))
        except Unusable as error:
            return str(error)
        keep(number, prepared)
        low, high = int(prepared.pixels.min()), int(prepared.pixels.max())
        return _Seen(low, high, prepared.largest, prepared.has_more_frames)

    # PIL releases the interpreter's lock while it decodes, so threads decode in parallel.
    with quietly(), ThreadPoolExecutor(cpu_count()) as threads:
        found = list(threads.map(one, range(len(files))))
    reasons = {file: r for (file, _), r in zip(files, found, strict=True) if isinstance(r, str)}
    unread.add(reasons, len(files))
    if reasons:
        return []
    names = [file.relative_to(root).as_posix() for file, _ in files]
    seen = [one for one in found if isinstance(one, _Seen)]
    return _notes(split, names, seen)


def _notes(split: str, names: Sequence[str], seen: Sequence[_Seen]) -> list[str]:
    notes = []
    flat = [n for n, one in enumerate(seen) if one.high - one.low < _FLAT]
    if 2 * len(flat) >= len(seen):
        first = flat[0]
        notes.append(
            f"{len(flat)} of {len(seen)} {split} pictures are nearly one shade, as the network "
            f"sees them: {names[first]} has {seen[first].low} to {seen[first].high} of 0 to 255"
        )
    deep = {n: one.largest for n, one in enumerate(seen) if one.largest is not None}
    first = max(deep, key=lambda n: deep[n][0] / deep[n][1], default=0)
    if deep and 0 < deep[first][0] < _LEAST_USED * deep[first][1]:
        value, end = deep[first]
        factor = end // value
        notes.append(
            f"{len(deep)} {split} pictures of more than 8 bits use a small part of their range: "
            f"the largest value is {value:,} of {end:,} ({names[first]}); multiplied by "
            f"{factor:,} they would fill it: Image.fromarray(numpy.asarray(Image.open(OLD))"
            f'.astype("uint16") * {factor}).save(NEW)'
        )
    frames = [name for name, one in zip(names, seen, strict=True) if one.has_more_frames]
    if frames:
        notes.append(
            f"{len(frames)} {split} pictures have several frames or pages, of which the first is "
            f"taken: {frames[0]}{' …' if len(frames) > 1 else ''}"
        )
    return notes
