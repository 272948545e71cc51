"""The test images that two runs answer differently."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import chain, zip_longest
from typing import Any, Literal

import numpy as np

from cnnsweep.diff.sides import RunSide
from cnnsweep.folders.run_folder import TEST_PREDICTIONS
from cnnsweep.report.answer.block import Block
from cnnsweep.report.read.escape import plain
from cnnsweep.report.read.predictions import PredictionFiles, rows_of
from cnnsweep.report.read.run_record import finite
from cnnsweep.report.stats.share_interval import Paired

MOST = 20  # images in text and in the picture


@dataclass(frozen=True, slots=True)
class Image:
    """A test image with two answers. Confidences are 0..1, None where they aren't recorded."""

    index: int
    label: str
    a: str
    b: str
    a_confidence: float | None
    b_confidence: float | None
    right: Literal["A", "B"] | None
    file: str

    def row(self) -> list[str]:
        """Cells of a table."""
        answers = [
            name if confidence is None else f"{name} ({100 * confidence:.1f} %)"
            for name, confidence in ((self.a, self.a_confidence), (self.b, self.b_confidence))
        ]
        return [str(self.index), self.label, *answers, self.right or "neither", self.file]

    def as_plain(self) -> dict[str, Any]:
        """What JSON holds."""
        return {
            "index": self.index, "label": self.label, "a": self.a, "b": self.b,
            "a_confidence": self.a_confidence, "b_confidence": self.b_confidence,
            "right": self.right, "file": self.file or None,
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Images:
    """How both runs answer the same test images; ``listed`` are those they answer differently."""

    counts: Paired
    listed: list[Image]

    def few(self) -> list[Image]:
        """Up to MOST of them: in turn one that only A gets right, one that only B does, neither."""
        kinds = ([image for image in self.listed if image.right == w] for w in ("A", "B", None))
        turns = chain.from_iterable(zip_longest(*kinds))
        chosen = [image for image in turns if image is not None][:MOST]
        return sorted(chosen, key=lambda image: (image.right or "C", image.index))

    def as_plain(self) -> dict[str, Any]:
        """What JSON holds."""
        return {
            "images": self.counts.total,
            "both_right": self.counts.both,
            "only_a_right": self.counts.only_first,
            "only_b_right": self.counts.only_second,
            "neither_right": self.counts.neither,
            "answered_differently": [image.as_plain() for image in self.listed],
        }

    def block(self) -> Block:
        """Counts, and the first few images."""
        counts = self.counts
        said = (
            f"Test images: {counts.only_first:,} that only A gets right, {counts.only_second:,} "
            f"that only B does; {counts.both:,} both, {counts.neither:,} neither, of "
            f"{counts.total:,}."
        )
        if not self.listed:
            return Block("Test images", [said, "Test images: every answer is the same."])
        few = self.few()
        rows, columns = [image.row() for image in few], ["index", "label", "A", "B", "right"]
        if any(image.file for image in few):
            columns.append("file")
        rows = [row[: len(columns)] for row in rows]
        title = f"Test images they answer differently ({len(self.listed):,})"
        more = len(self.listed) - len(few)
        caption = f"{more:,} more are in the JSON (--format json)." if more else ""
        return Block(title, [said], columns=columns, rows=rows, caption=caption)


def images_apart(a: RunSide, b: RunSide, problems: list[str]) -> Images | str:
    """Compare the answers image by image; a sentence on why not where that cannot be done."""
    for side in (a, b):
        if not side.run.images:
            return f"{side.name} has no {TEST_PREDICTIONS}: nothing is known image by image."
    files = PredictionFiles(problems)
    ours, theirs = files.get(a.run), files.get(b.run)
    if ours is None or theirs is None:
        return f"{TEST_PREDICTIONS} cannot be read: nothing is known image by image."
    if not ours.same_images(theirs):
        return "A and B were tested on different images: nothing can be said image by image."
    counts = Paired(
        int((ours.right & theirs.right).sum()),
        int((ours.right & ~theirs.right).sum()),
        int((theirs.right & ~ours.right).sum()),
        int((~ours.right & ~theirs.right).sum()),
    )
    places = np.flatnonzero(ours.predicted != theirs.predicted).tolist()
    left, right = rows_of(a.run), rows_of(b.run)
    return Images(counts, [_image(left[place], right[place]) for place in places])


def _image(left: Mapping[str, str], right: Mapping[str, str]) -> Image:
    label = left["label"]
    a, b = (row["prediction"] for row in (left, right))
    return Image(
        int(float(left["index"])),
        _name(left, "label"),
        _name(left, "prediction"),
        _name(right, "prediction"),
        _confidence(left),
        _confidence(right),
        _right(label, a, b),
        plain(left.get("file", "") or right.get("file", "")),
    )


def _name(row: Mapping[str, str], what: str) -> str:
    return plain(row.get(f"{what}_name", "") or row[what])


def _confidence(row: Mapping[str, str]) -> float | None:
    try:
        value = finite(float(row["confidence"]))
    except (KeyError, ValueError):
        return None
    return value if value is not None and 0 <= value <= 1 else None


def _right(label: str, a: str, b: str) -> Literal["A", "B"] | None:
    if float(a) == float(label):
        return "A"
    return "B" if float(b) == float(label) else None
