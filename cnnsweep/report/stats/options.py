"""What is asked of a report; a file of its own so that ``--help`` need not import numpy."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Question:
    """The options of the command of the same names, and their defaults."""

    by: tuple[str, ...] = ()  # empty: model, and every setting that differs within one
    metric: str | None = None  # None: test accuracy where present, else validation accuracy
    where: tuple[str, ...] = ()
    top: int = 10
    baseline: str | None = None
    interval: str = "t"
    images: Path | None = None  # a folder with MNIST's files, to show the images got wrong
    best_of: tuple[str, ...] = ()  # keys of which each group takes the best by validation
    margin: float | None = None  # a difference that does not matter: points, or the metric's unit
