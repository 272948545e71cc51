"""What is asked of a report."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Question:
    """The options of the command of the same names, and their defaults."""

    by: tuple[str, ...] = ("model",)
    metric: str | None = None  # None: test accuracy where present, else validation accuracy
    where: tuple[str, ...] = ()
    top: int = 10
    baseline: str | None = None
    interval: str = "t"


FORMATS = ("csv", "md", "tex", "html", "png", "svg")
DEFAULT_FORMATS = ("csv", "md", "tex", "html")
EVERY = 5.0  # seconds between two looks of --watch
