"""Confusion matrices of groups."""

from collections import Counter
from collections.abc import Iterator, Sequence

import numpy as np

from cnnsweep.report.answer.analysis import Answer
from cnnsweep.report.answer.group_predictions import predictions_of, shown_groups
from cnnsweep.report.charts.chart_model import Chart, Heat, count
from cnnsweep.report.read.escape import plain
from cnnsweep.report.read.predictions import Predictions

_MOST_CLASSES = 100
_MOST_TEXT = 12
_LONGEST_NAME = 20  # letters


def confusion(answer: Answer) -> Iterator[Chart]:
    """A matrix for each of the best groups that have predictions."""
    shown = shown_groups(answer.grouping)
    for group in answer.grouping.groups:
        own = predictions_of(group.runs, answer.files) if group in shown else []
        read = [p for _, p in own]
        classes = max((1 + int(max(p.label.max(), p.predicted.max())) for p in read), default=0)
        if read and min(p.label.min() for p in read) >= 0 and classes <= _MOST_CLASSES:
            labels = _labels(answer.files.class_names(own[0][0]), classes)
            yield _matrix(group.label + group.where, read, labels, len(group.runs))


def _matrix(name: str, read: list[Predictions], labels: list[str], total: int) -> Heat:
    classes = len(labels)
    table = np.zeros((classes, classes))
    for p in read:
        table += np.bincount(p.label * classes + p.predicted, minlength=classes**2).reshape(
            classes, classes
        )
    each = table / len(read)
    share = 100 * table / np.maximum(table.sum(axis=1, keepdims=True), 1)
    errors = [[None if i == j else float(v) for j, v in enumerate(r)] for i, r in enumerate(share)]
    text = [[f"{v:.0f}" if v > 0.5 else "" for v in row] for row in each]
    caption = "Test images of a class (row) that are taken for another (column): mean number over "
    caption += f"{count(len(read), 'run')}"
    caption += f" of the group's {total}" if len(read) < total else ""
    caption += "; the colour is the share of the row, the diagonal is what is right."
    return Heat(
        f"confusion-{name}", f"Confusion: {name}", caption, "predicted", "true class", labels,
        labels, errors, "% of the class", text if classes <= _MOST_TEXT else None,
    )  # fmt: skip


def class_name(names: Sequence[str], number: int) -> str:
    """A class by its name, else by its number."""
    return plain(names[number]) if 0 <= number < len(names) else str(number)


def _labels(names: Sequence[str], classes: int) -> list[str]:
    """Short names of all classes, no two alike."""
    shown = [_shortened(class_name(names, number)) for number in range(classes)]
    several = Counter(shown)
    return [
        name if name.strip() and several[name] == 1 else f"{number}: {name}"
        for number, name in enumerate(shown)
    ]


def _shortened(name: str) -> str:
    half = _LONGEST_NAME // 2
    return name if len(name) <= _LONGEST_NAME else f"{name[:half]}…{name[-half + 1 :]}"
