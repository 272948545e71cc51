"""The metrics of a run: names, which way is better, what chance gives, and seconds as text."""

import math
from collections.abc import Callable, Iterable, Sequence
from typing import Literal, TypeVar

T = TypeVar("T")
Direction = Literal["maximize", "minimize"]

DIRECTIONS: dict[str, Direction] = {
    "train_loss": "minimize",
    "train_accuracy": "maximize",
    "val_loss": "minimize",
    "val_accuracy": "maximize",
    "val_balanced_accuracy": "maximize",
    "test_loss": "minimize",
    "test_accuracy": "maximize",
    "test_balanced_accuracy": "maximize",
    "epochs": "minimize",
    "best_epoch": "minimize",
    "parameters": "minimize",
    "train_seconds": "minimize",
    "images_per_second": "maximize",
}
_BETTER: tuple[tuple[str, Direction], ...] = (
    ("loss", "minimize"),
    ("error", "minimize"),
    ("accuracy", "maximize"),
    ("acc", "maximize"),
)
VALIDATION_METRICS = ("val_loss", "val_accuracy", "val_balanced_accuracy")
EPOCH_METRICS = ("train_loss", "train_accuracy", *VALIDATION_METRICS)
METRICS_COLUMNS = (
    "epoch",
    "learning_rate",
    "train_loss",
    "train_accuracy",
    "val_loss",
    "val_accuracy",
    "train_seconds",
    "images_per_second",
    "val_balanced_accuracy",
)
_ERRORS = 2  # standard errors above chance from which on a network counts as one that learned


def direction_of(name: str) -> Direction | None:
    """Which way a metric is better, by its name or the name's end; None: the name does not say."""
    ends = (way for end, way in _BETTER if name.lower().endswith(end))
    return DIRECTIONS.get(name) or next(ends, None)


def best_first(items: Iterable[T], value: Callable[[T], float], way: Direction) -> list[T]:
    """Trials, runs or settings by their value; equally good ones stay in their order.

    That is the order of their numbers, everywhere: the winner is the first of the best.
    """
    sign = -1 if way == "maximize" else 1
    return sorted(items, key=lambda item: sign * value(item))


def is_share(name: str, values: Iterable[float]) -> bool:
    """Whether a metric with these values is a share of images, by its name and they in 0..1.

    Another app's accuracy may be in percent already.
    """
    return "acc" in name.lower() and all(0 <= value <= 1 for value in values)


def balanced_accuracy(right: Sequence[int], images: Sequence[int]) -> float:
    """The mean over classes of the share of their images that a network gets right, in 0..1.

    Args:
        right: images of each class that it got right.
        images: images of each class; classes without any are left out.
    """
    shares = [hits / count for hits, count in zip(right, images, strict=True) if count]
    return math.fsum(shares) / len(shares)


def chance(images: Sequence[int]) -> tuple[float, float]:
    """Balanced accuracy of a network that never learned: its mean and its standard error.

    A network that says the same class of every image, whichever, has 1 / C exactly, where C are the
    classes that occur. One that says them at random, each as often, gets each image right with
    probability 1 / C, independently of others: the share of a class of n_c images has variance
    (1/C)(1 - 1/C) / n_c, and the mean of the shares

        standard error = (1/C) sqrt((1/C)(1 - 1/C) (1/n_1 + ... + 1/n_C)).

    Args:
        images: images of each class, in a split.
    """
    counts = [count for count in images if count]
    share = 1 / len(counts)
    return share, share * math.sqrt(share * (1 - share) * math.fsum(1 / n for n in counts))


def has_learned(balanced: float, images: Sequence[int]) -> bool | None:
    """Whether a balanced accuracy is above chance by more than two standard errors.

    None where it cannot be told: fewer than two classes occur, or, above chance, where a class has
    so few images that all of them right would not be enough (two classes, one with one image).

    Args:
        balanced: balanced accuracy of a split, in 0..1.
        images: images of each class in that split.
    """
    if sum(count > 0 for count in images) < 2:
        return None
    mean, error = chance(images)
    line = mean + _ERRORS * error
    if balanced > mean and line >= 1:
        return None
    return balanced > line


def duration(seconds: float) -> str:
    """``1 h 05 min``, ``3 min 20 s``, ``12 s``; below one second ``0.35 s``."""
    if 0 < seconds < 1:
        return f"{seconds:.2g} s"
    whole = round(seconds)
    if whole >= 3600:
        return f"{whole // 3600} h {whole % 3600 // 60:02} min"
    return f"{whole // 60} min {whole % 60:02} s" if whole >= 60 else f"{whole} s"
