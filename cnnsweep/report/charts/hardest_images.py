"""The test images that most runs get wrong."""

from collections import Counter
from dataclasses import dataclass, replace

import numpy as np

from cnnsweep.report.answer.analysis import Answer
from cnnsweep.report.answer.group_predictions import MOST_GROUPS, predictions_of
from cnnsweep.report.charts.confusion import class_name
from cnnsweep.report.read.pictures import pictures
from cnnsweep.report.read.predictions import Predictions
from cnnsweep.report.read.run_record import Run

_MOST_IMAGES = 24


@dataclass(frozen=True, slots=True)
class Hard:
    """A test image that many runs get wrong."""

    index: int
    label: str
    wrong: int  # runs that get it wrong
    runs: int
    taken_for: str  # the most frequent wrong answer
    picture: str  # an address of the image itself; empty where it cannot be shown


@dataclass(frozen=True, slots=True)
class HardImages:
    """Those of one stratum; ``note`` says why some are not shown, and may be empty."""

    stratum: str
    images: list[Hard]
    note: str


def hardest(answer: Answer) -> list[HardImages]:
    """The images that most runs get wrong, of all groups, by stratum."""
    found = []
    for stratum, groups in answer.grouping.strata().items():
        best = groups[:MOST_GROUPS]
        read = [pair for group in best for pair in predictions_of(group.runs, answer.files)]
        if read:
            run, first = read[0]
            alike = [p for _, p in read if p.same_images(first)]
            found.append(_shown(answer, stratum, run, alike))
    return [images for images in found if images is not None]


def _shown(answer: Answer, stratum: str, run: Run, alike: list[Predictions]) -> HardImages | None:
    seen, names = alike[0], answer.files.class_names(run)
    images = [
        Hard(
            int(seen.index[place]), class_name(names, int(seen.label[place])), wrong, len(alike),
            class_name(names, taken_for), "",
        )
        for place, wrong, taken_for in _hardest(alike)
    ]  # fmt: skip
    if not images:
        return None
    wanted = [image.index for image in images]
    shown, note = pictures(run, seen, wanted, answer.question.images)
    pictured = [replace(image, picture=shown.get(image.index, "")) for image in images]
    return HardImages(stratum, pictured, note)


def _hardest(read: list[Predictions]) -> list[tuple[int, int, int]]:
    """Place of an image, how many runs get it wrong, and what most of these take it for."""
    answers = np.stack([p.predicted for p in read])  # runs × images
    wrong = (answers != read[0].label).sum(axis=0)
    order = np.argsort(-wrong, kind="stable")[:_MOST_IMAGES]
    images = []
    for i in order[wrong[order] * 2 > len(read)]:
        others = Counter(int(p) for p in answers[:, i] if p != read[0].label[i])
        images.append((int(i), int(wrong[i]), others.most_common(1)[0][0]))
    return images
