"""The data of two runs: the same, or what differs; and how many of their images either run saw."""

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cnnsweep.diff.entries import NOT_RECORDED, Entry, entries, entries_block
from cnnsweep.diff.sides import RunSide
from cnnsweep.folders.data_record import differences, same_data
from cnnsweep.folders.run_folder import RunFolder
from cnnsweep.folders.shared_files import read_data_files
from cnnsweep.report.answer.block import Block
from cnnsweep.report.read.escape import plain
from cnnsweep.report.read.run_files import split_sizes
from cnnsweep.report.read.run_record import FINGERPRINT
from cnnsweep.report.read.safe_io import Scalar

_LARGEST_LIST = 64 << 20  # bytes of data.csv
_COUNTS = ("images", "validation images", "test images", "classes", "image size")
_SPLIT = ("seed", "data.val_fraction", "data.train_limit")  # choose the validation images


@dataclass(frozen=True, slots=True)
class Data:
    """``same`` is None where one of the runs recorded nothing; ``said``: what differs, A to B.

    ``same_split``: whether both validated on the same images, as far as known.
    """

    same: bool | None
    same_split: bool
    said: list[str]
    entries: list[Entry]

    def as_plain(self) -> dict[str, Any]:
        """What JSON holds."""
        return {
            "same": self.same,
            "same_validation_images": self.same_split,
            "differences": self.said,
            "recorded": [entry.as_plain() for entry in self.entries],
        }

    def block(self) -> Block:
        """Sentences, and numbers of images where they differ."""
        said = {
            True: ["the same."],
            False: [f"other data: {'; '.join(self.said)}."],
            None: [f"whether they are the same is {NOT_RECORDED}."],
        }[self.same]
        if self.same and not self.same_split:
            said.append("the validation images differ, by what chooses them (seed, limit, share).")
        return entries_block("Data", self.entries, said)


def data_apart(a: RunSide, b: RunSide, problems: list[str]) -> Data:
    """Compare what the results record of the data; damage of a list of files is a problem."""
    records = _recorded(a), _recorded(b)
    before, now = records
    known = entries([FINGERPRINT, *_COUNTS], _counts(a, before), _counts(b, now))
    if before is None or now is None:
        return Data(None, False, [], known)
    is_same = same_data(before, now)
    said = [] if is_same else differences(before, now, _files(a, problems), _files(b, problems))
    chosen_alike = all(a.run.config.get(key) == b.run.config.get(key) for key in _SPLIT)
    split = is_same and (chosen_alike or before["val"] is not None)
    return Data(is_same, split, [plain(line) for line in said], known)


def _recorded(side: RunSide) -> dict[str, Any] | None:
    """The fingerprint in the form that comparing it takes; None where there is none."""
    data = side.record.get("data")
    if not isinstance(data, Mapping) or not isinstance(data.get("hash"), str):
        return None
    lists = {name: _list(data.get(name)) for name in ("classes", "shape")}
    counts = {name: _whole(data.get(name)) for name in ("train", "val", "test")}
    return {**lists, **counts, "hash": data["hash"], "test_hash": data.get("test_hash")}


def _list(value: object) -> list[str]:
    return [str(item) for item in value] if isinstance(value, list) else []


def _whole(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def _counts(side: RunSide, record: Mapping[str, Any] | None) -> dict[str, Scalar]:
    fingerprint = side.run.config.get(FINGERPRINT)
    if record is None:
        return {}
    sizes = {
        "images": record["train"],
        "validation images": validation_images(side),
        "test images": record["test"],
        "classes": len(record["classes"]) or None,
        "image size": " × ".join(record["shape"]) or None,
    }
    return {FINGERPRINT: fingerprint} | sizes


def validation_images(side: RunSide) -> int | None:
    """How many images a run was validated on; None where that isn't known."""
    return split_sizes(side.run).validation


def test_images(side: RunSide) -> int | None:
    """How many test images the record names."""
    record = _recorded(side)
    return None if record is None else record["test"]


def _files(side: RunSide, problems: list[str]) -> dict[str, str]:
    folder = RunFolder(side.folder)
    path = folder.data_files
    try:
        if path.is_symlink() or not path.is_file() or path.stat().st_size > _LARGEST_LIST:
            return {}
        return {name: digest for name, _, digest in read_data_files(folder)}
    except (OSError, csv.Error) as error:
        problems.append(f"{path}: {error}")
        return {}
