"""Charts as plain data, which the two backends draw."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

Number = float | None  # None leaves a gap
PALETTE = (  # Okabe and Ito's: distinct for colour-blind readers, on white and on black
    "#0077bb", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#8c6bb1", "#999933",
)  # fmt: skip
GREY = "#8a8f98"
FIFTHS = (  # of values, in shades of viridis
    ("worst fifth", "#440154"), ("4th", "#31688e"), ("3rd", "#1f9e89"), ("2nd", "#6ece58"),
    ("best fifth", "#e8c500"),
)  # fmt: skip


@dataclass(slots=True)
class Series:
    """Points that belong together. ``low`` and ``high``: a band of lines, error bars of points.

    ``big`` lines are bars that lie along the x axis.
    """

    name: str
    x: Sequence[Number | str]
    y: Sequence[Number]
    kind: Literal["line", "points", "bars", "steps"] = "points"
    color: str = PALETTE[0]
    low: Sequence[Number] | None = None
    high: Sequence[Number] | None = None
    hover: Sequence[str] | None = None
    dashed: bool = False
    faint: bool = False
    big: bool = False
    cross: bool = False
    ring: bool = False
    in_legend: bool = True


@dataclass(slots=True)
class Chart:
    """What all charts have: a name for files, a title, and what it shows of how many runs."""

    slug: str
    title: str
    caption: str


@dataclass(slots=True)
class XY(Chart):
    """Lines, points or bars over two axes."""

    x_title: str
    y_title: str
    series: list[Series]
    x_log: bool = False
    y_log: bool = False
    ticks: list[str] | None = None  # labels of x = 0, 1, 2 …
    notes: list[tuple[float, float, str]] = field(default_factory=list)  # x, y, text


@dataclass(slots=True)
class Heat(Chart):
    """A matrix of values (rows from the top for a confusion matrix, else from the bottom)."""

    x_title: str
    y_title: str
    x: Sequence[float | str]
    y: Sequence[float | str]
    z: Sequence[Sequence[Number]]
    z_title: str
    text: Sequence[Sequence[str]] | None = None
    points: Series | None = None
    x_log: bool = False
    y_log: bool = False
    smooth: bool = False  # contours instead of cells


class Colors:
    """The same colour for the same name in every chart; beyond the palette they repeat."""

    def __init__(self, names: Sequence[str]) -> None:
        self._order = list(dict.fromkeys(names))

    def __getitem__(self, name: str) -> str:
        if name not in self._order:
            self._order.append(name)
        return PALETTE[self._order.index(name) % len(PALETTE)]


def count(n: int, thing: str) -> str:
    """``1 run``, ``1,000 runs``."""
    return f"{n:,} {thing}{'' if n == 1 else 's'}"
