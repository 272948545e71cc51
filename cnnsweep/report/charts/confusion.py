"""Confusion matrices of groups, and the test images that most runs get wrong."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from cnnsweep.report.answer.analysis import Answer
from cnnsweep.report.answer.calibration import predictions_of, shown_groups
from cnnsweep.report.charts.chart_model import Chart, Heat, count
from cnnsweep.report.read.predictions import Predictions, addresses

_MOST_GROUPS = 6
_MOST_CLASSES = 100
_MOST_TEXT = 12
_MOST_IMAGES = 24


@dataclass(frozen=True, slots=True)
class Hard:
    """A test image that many runs get wrong."""

    index: int
    label: int
    wrong: int  # runs that get it wrong
    runs: int
    taken_for: int  # the most frequent wrong answer
    stratum: str
    picture: str  # an address of the image itself; empty where its file is missing


def confusion(answer: Answer) -> Iterator[Chart]:
    """A matrix for each of the best groups that have predictions."""
    shown = shown_groups(answer.grouping)
    for group in answer.grouping.groups:
        read = predictions_of(group, answer.files) if group in shown else []
        classes = max((1 + int(max(p.label.max(), p.predicted.max())) for p in read), default=0)
        if read and min(p.label.min() for p in read) >= 0 and classes <= _MOST_CLASSES:
            yield _matrix(group.label + group.where, read, classes, len(group.runs))


def _matrix(name: str, read: list[Predictions], classes: int, total: int) -> Heat:
    table = np.zeros((classes, classes))
    for p in read:
        table += np.bincount(p.label * classes + p.predicted, minlength=classes**2).reshape(
            classes, classes
        )
    each = table / len(read)
    share = 100 * table / np.maximum(table.sum(axis=1, keepdims=True), 1)
    errors = [[None if i == j else float(v) for j, v in enumerate(r)] for i, r in enumerate(share)]
    text = [[f"{v:.0f}" if v > 0.5 else "" for v in row] for row in each]
    labels = [str(c) for c in range(classes)]
    caption = "Test images of a class (row) that are taken for another (column): mean number over "
    caption += f"{count(len(read), 'run')}"
    caption += f" of the group's {total}" if len(read) < total else ""
    caption += "; the colour is the share of the row, the diagonal is what is right."
    return Heat(
        f"confusion-{name}", f"Confusion: {name}", caption, "predicted", "true class", labels,
        labels, errors, "% of the class", text if classes <= _MOST_TEXT else None,
    )  # fmt: skip


def hardest(answer: Answer) -> list[Hard]:
    """The images that most runs get wrong, of all groups, by stratum."""
    found = []
    for stratum, groups in answer.grouping.strata().items():
        read = [p for group in groups[:_MOST_GROUPS] for p in predictions_of(group, answer.files)]
        alike = [p for p in read if p.same_images(read[0])]
        images = _hardest(alike, stratum) if alike else []
        data = groups[0].runs[0].value("data")
        pictures = addresses(answer.question.images, data, [image.index for image in images])
        found += [replace(image, picture=pictures.get(image.index, "")) for image in images]
    return found


def _hardest(read: list[Predictions], stratum: str) -> list[Hard]:
    predicted = np.stack([p.predicted for p in read])  # runs × images
    wrong = (predicted != read[0].label).sum(axis=0)
    order = np.argsort(-wrong, kind="stable")[:_MOST_IMAGES]
    images = []
    for i in order[wrong[order] * 2 > len(read)]:
        label = int(read[0].label[i])
        answers = Counter(int(p) for p in predicted[:, i] if p != label)
        taken_for = answers.most_common(1)[0][0]
        index = int(read[0].index[i])
        images.append(Hard(index, label, int(wrong[i]), len(read), taken_for, stratum, ""))
    return images
