"""Confusion matrices of groups."""

from collections.abc import Iterator, Sequence

import numpy as np

from cnnsweep.report.answer.analysis import Answer
from cnnsweep.report.charts.chart_model import Chart, Heat, count
from cnnsweep.report.charts.ticks import distinct
from cnnsweep.report.read.escape import plain
from cnnsweep.report.read.predictions import Predictions
from cnnsweep.report.read.run_record import Run
from cnnsweep.report.stats.grouping import Group

MOST_GROUPS = 6
_MOST_RUNS = 5  # of a group: each reads a file of thousands of lines
_MOST_CLASSES = 100
_MOST_TEXT = 12
_LONGEST_NAME = 20  # letters


def confusion(answer: Answer) -> Iterator[Chart]:
    """A matrix for each of the best groups that have predictions."""
    shown = _shown(answer)
    for group in answer.grouping.groups:
        own = predictions(answer, group) if group in shown else []
        read = [p for _, p in own]
        classes = max((1 + int(max(p.label.max(), p.predicted.max())) for p in read), default=0)
        if read and min(p.label.min() for p in read) >= 0 and classes <= _MOST_CLASSES:
            known = answer.files.class_names(own[0][0])
            labels = distinct([class_name(known, n) for n in range(classes)], _LONGEST_NAME)
            yield _matrix(group.label + group.where, read, labels, len(group.runs))


def _shown(answer: Answer) -> list[Group]:
    """The best groups of each stratum, as many in all as there is room for."""
    strata = list(answer.grouping.strata().values())
    each = max(1, MOST_GROUPS // max(len(strata), 1))
    return [group for groups in strata[:MOST_GROUPS] for group in groups[:each]]


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


def predictions(answer: Answer, group: Group) -> list[tuple[Run, Predictions]]:
    """Some runs of a group that have predictions, with these."""
    with_images = [run for run in group.runs if run.images][:_MOST_RUNS]
    read = [(run, answer.files.get(run)) for run in with_images]
    return [(run, p) for run, p in read if p is not None]


def class_name(names: Sequence[str], number: int) -> str:
    """A class by its name, else by its number."""
    return plain(names[number]) if 0 <= number < len(names) else str(number)
