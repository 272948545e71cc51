"""What is asked of a report; a file of its own so that ``--help`` need not import numpy."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Question:
    """The options of the command of the same names, and their defaults."""

    by: tuple[str, ...] = ()  # empty: model, and settings that several seeds repeat
    metric: str | None = None  # None: test accuracy where present, else validation accuracy
    where: tuple[str, ...] = ()
    top: int = 10
    baseline: str | None = None
    interval: str = "t"
    images: Path | None = None  # a folder with MNIST's files, to show the images got wrong
