"""A run's pictures: curves.png, predictions.png and confusion.png."""

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from cnnsweep.folders.run_folder import write_whole
from cnnsweep.session.picture_text import plain_text, shown_names, width
from cnnsweep.training.early_stopping import Row

_SHOWN = 12
_DPI = 150
_RIGHT, _WRONG = "#1a7f37", "#cf222e"
_TRAIN, _VAL = "#0969da", "#bc4c00"
_TITLE = 20  # letters of ten points above one of six images
_AXIS = 28  # letters of a class's name beside the confusion matrix
_MOST_NUMBERED_CLASSES = 15
_MOST_NAMED_CLASSES = 60
_INCHES_A_CLASS = 0.15


class Answers(NamedTuple):
    """Images of one split with the network's predictions.

    ``pixels`` is uint8, N × C × H × W; ``labels`` int64, N; ``probabilities`` N × classes.
    """

    pixels: NDArray[np.uint8]
    labels: NDArray[np.int64]
    probabilities: NDArray[np.float32]
    classes: Sequence[str]
    split: str


def draw_curves(path: Path | None, history: Sequence[Row], best_epoch: int | None) -> None:
    """Loss and accuracy against epoch, training and validation, the best epoch marked."""
    with plain_text([]):
        _save(_curves(history, best_epoch), path)


def _curves(history: Sequence[Row], best_epoch: int | None) -> Figure:
    figure = Figure(figsize=(10, 4), layout="constrained")
    loss, accuracy = figure.subplots(1, 2)
    for axes, name in ((loss, "loss"), (accuracy, "accuracy")):
        _curve(axes, history, f"train_{name}", "training", _TRAIN)
        _curve(axes, history, f"val_{name}", "validation", _VAL)
        if best_epoch is not None and history[0]["val_loss"] is not None:
            axes.axvline(best_epoch, color="0.6", linestyle=":", label=f"best epoch ({best_epoch})")
        axes.set_xlabel("epoch")
        axes.set_ylabel(name)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
        axes.grid(alpha=0.25)
        axes.spines[["top", "right"]].set_visible(False)
    loss.set_ylim(bottom=0)
    accuracy.legend(frameon=False, loc="lower right")
    return figure


def _curve(axes: Axes, history: Sequence[Row], column: str, label: str, color: str) -> None:
    points = [(row["epoch"], row[column]) for row in history if row[column] is not None]
    if points:
        marker = "o" if len(points) <= 30 else None
        axes.plot(*zip(*points, strict=True), marker=marker, ms=4, color=color, label=label)


def draw_predictions(path: Path | None, answers: Answers) -> None:
    """Twelve images with label and prediction: six over all classes, then six wrong ones.

    Where fewer are wrong, more of the others fill the places.
    """
    predictions = answers.probabilities.argmax(axis=1)
    wrong = np.flatnonzero(predictions != answers.labels)
    half = _SHOWN // 2
    order = _over_classes(answers.labels)
    later = [i for i in order[half:] if predictions[i] != answers.labels[i]]
    later = [later[i] for i in _over_classes(answers.labels[later])][:half]
    first = np.setdiff1d(order, later, assume_unique=True)[: _SHOWN - len(later)]
    names = shown_names(answers.classes, _TITLE - width("→ "))
    with plain_text(names):
        figure = Figure(figsize=(10, 4.6), layout="constrained")
        grid = figure.subplots(2, half).ravel()
        for axes in grid:
            axes.axis("off")
        for axes, index in zip(grid, [*first, *later], strict=False):
            _show_image(axes, answers, names, int(index), int(predictions[index]))
        figure.suptitle(
            f"{answers.split} images: label → prediction (confidence); "
            f"{len(wrong)} of {len(predictions)} wrong"
        )
        _save(figure, path)


def _over_classes(labels: NDArray[np.int64]) -> NDArray[np.intp]:
    """Places of the labels: the first of each class, then the second of each, and so on.

    Within such a round they keep their order; of many classes those at even steps come first.
    """
    by_class = np.argsort(labels, kind="stable")
    sizes = np.bincount(labels)
    turns = np.empty(len(labels), np.int64)
    turns[by_class] = np.arange(len(labels)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    step = max(1, -(-int(np.count_nonzero(sizes)) // (_SHOWN // 2)))
    rank = np.cumsum(sizes > 0) - 1  # of a class among those that occur
    return np.lexsort((rank[labels] % step, turns)) if len(labels) else np.arange(0)


def _show_image(
    axes: Axes, answers: Answers, names: Sequence[str], index: int, prediction: int
) -> None:
    image = answers.pixels[index].transpose(1, 2, 0)  # H × W × C
    cmap = "gray" if image.shape[2] == 1 else None
    axes.imshow(image.squeeze(axis=2) if cmap else image, cmap=cmap, vmin=0, vmax=255)
    label, confidence = int(answers.labels[index]), answers.probabilities[index, prediction]
    answer = f"{names[label]} → {names[prediction]}"
    if width(answer) > _TITLE:
        answer = f"{names[label]}\n→ {names[prediction]}"
    axes.set_title(
        f"{answer}\n({confidence:.0%})",
        color=_RIGHT if label == prediction else _WRONG,
        fontsize=10,
    )


def draw_confusion(path: Path | None, answers: Answers) -> None:
    """The confusion matrix: images of each label (row) by predicted class (column).

    With more than 60 classes the axes carry numbers of classes, not names.
    """
    classes = len(answers.classes)
    predictions = answers.probabilities.argmax(axis=1)
    counts = np.zeros((classes, classes), dtype=np.int64)
    np.add.at(counts, (answers.labels, predictions), 1)
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    names = shown_names(answers.classes, _AXIS)
    with plain_text(names):
        longest = max(map(width, names)) if classes <= _MOST_NAMED_CLASSES else 0
        side = max(5.0, min(classes, _MOST_NAMED_CLASSES) * _INCHES_A_CLASS)
        figure = Figure(
            figsize=(side + 2.2 + longest / 14, side + 1.4 + longest / 20), layout="constrained"
        )
        axes = figure.subplots()
        shown = axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
        figure.colorbar(shown, label="share of the class", shrink=0.8)
        if classes <= _MOST_NUMBERED_CLASSES:
            _number(axes, counts, shares)
        _name(axes, names, longest)
        accuracy = float((predictions == answers.labels).mean())
        axes.set_title(f"{len(predictions)} {answers.split} images, accuracy {accuracy:.4f}")
        _save(figure, path)


def _name(axes: Axes, names: Sequence[str], longest: int) -> None:
    """Both axes' labels: the names, or numbers where there are too many."""
    if longest == 0:
        axes.set(xlabel="prediction (number of the class)", ylabel="label (number of the class)")
        for axis in (axes.xaxis, axes.yaxis):
            axis.set_major_locator(MaxNLocator(integer=True, steps=[1, 2, 5, 10]))
        return
    size = 10 if len(names) <= _MOST_NUMBERED_CLASSES else 7
    turned: dict[str, Any] = {"rotation": 45, "ha": "right", "rotation_mode": "anchor"}
    axes.set_xticks(range(len(names)), names, fontsize=size, **(turned if longest > 2 else {}))
    axes.set_yticks(range(len(names)), names, fontsize=size)
    axes.set(xlabel="prediction", ylabel="label")


def _number(axes: Axes, counts: NDArray[np.int64], shares: NDArray[np.float64]) -> None:
    for (row, column), count in np.ndenumerate(counts):
        if count:
            color = "white" if shares[row, column] > 0.5 else "black"
            axes.text(column, row, str(count), ha="center", va="center", color=color, fontsize=8)


def _save(figure: Figure, path: Path | None) -> None:
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=_DPI)
    if path is not None:  # None: it is only to be known how long it takes
        write_whole(path, buffer.getvalue())
