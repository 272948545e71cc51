"""Charts as PNG or SVG files for slides, by matplotlib."""

import io
import re
import warnings
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedFormatter, FixedLocator, MaxNLocator, NullFormatter

from cnnsweep.folders.run_folder import write_whole
from cnnsweep.report.charts.chart_model import XY, Chart, Heat, Series
from cnnsweep.report.charts.ticks import log_ticks, shortened, shown_number

_STYLE: dict[Any, Any] = {  # text stays text in an SVG, and equal charts are equal files
    "svg.fonttype": "none", "svg.hashsalt": "cnnsweep", "font.size": 10, "axes.grid": True,
    "grid.alpha": 0.3, "axes.spines.top": False, "axes.spines.right": False, "text.usetex": False,
    "text.parse_math": False,
}  # fmt: skip
_SIZE, _DPI = (7.2, 4.4), 140
_INCHES_A_ROW = 0.18  # of a legend
_LONGEST_TICK, _LONGEST_NOTE, _LONGEST_LEGEND = 24, 14, 60  # letters
_MOST_NAMES = 30  # along an axis
_LETTERS_OF_CHART, _LETTERS_OF_HEAT, _LETTERS_OF_LEGEND = 60, 36, 100


def write_pictures(
    charts: Iterable[Chart], folder: Path, kinds: Sequence[str]
) -> list[tuple[str, str]]:
    """Write each chart in each kind; path (from the report) and caption of the first kind."""
    folder.mkdir(parents=True, exist_ok=True)
    written: list[tuple[str, str]] = []
    for chart in charts:
        name = _file_name(chart.slug, {Path(path).stem for path, _ in written})
        for kind in kinds:
            write_whole(folder / f"{name}.{kind}", as_picture(chart, kind))
        written.append((f"{folder.name}/{name}.{kinds[0]}", f"{chart.title}. {chart.caption}"))
    return written


def _file_name(slug: str, taken: set[str]) -> str:
    """Letters, digits and dashes only, and no name twice."""
    base = re.sub(r"[^A-Za-z0-9_]+", "-", slug).strip("-")[:80] or "chart"
    name, number = base, 1
    while name in taken:
        number += 1
        name = f"{base}-{number}"
    return name


def as_picture(chart: Chart, kind: str) -> bytes:
    """The file's content; ``kind`` is ``png`` or ``svg``."""
    with rc_context(_STYLE), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing from font")  # a box stands for it
        figure = Figure(figsize=_SIZE, layout="constrained")
        axes = figure.subplots()
        if isinstance(chart, Heat):
            _heat(figure, axes, chart)
        elif isinstance(chart, XY):
            _xy(axes, chart)
            _add_legend(figure, axes)
        axes.set_title(chart.title, fontsize=11)
        return _content(figure, kind)


def side_by_side(charts: Sequence[XY], kind: str) -> bytes:
    """Several charts as one picture, as :func:`as_picture` draws each."""
    with rc_context(_STYLE):
        figure = Figure(figsize=(_SIZE[0] * len(charts), _SIZE[1]), layout="constrained")
        places = figure.subplots(1, len(charts), squeeze=False)[0]
        for axes, chart in zip(places, charts, strict=True):
            _xy(axes, chart)
            axes.set_title(chart.title, fontsize=11)
        return _content(figure, kind)


def _content(figure: Figure, kind: str) -> bytes:
    file = io.BytesIO()
    figure.savefig(file, format=kind, dpi=_DPI, metadata={"Date": None} if kind == "svg" else {})
    return file.getvalue()


def _xy(axes: Axes, chart: XY) -> None:
    bars = [series for series in chart.series if series.kind == "bars"]
    for series in chart.series:
        if series.kind == "bars":
            _bars(axes, series, bars.index(series), len(bars))
        else:
            _draw(axes, series)
    _axes(axes, chart)
    if bars:
        axes.invert_yaxis()
        axes.set(xlabel=chart.y_title, ylabel=chart.x_title)
    if chart.ticks is not None:
        _name_ticks(axes, chart.ticks, _LETTERS_OF_CHART)
    for x, y, text in chart.notes:
        axes.annotate(shortened(text, _LONGEST_NOTE), (x, y), ha="center", va="center", fontsize=8)
    if chart.notes:
        axes.set_ylim(-0.15, 1.15)
        axes.yaxis.set_visible(False)


def _name_ticks(axes: Axes, names: Sequence[str], side_by_side: int) -> None:
    """Names along the x axis: some are left out where there are very many.

    They are turned where more than ``side_by_side`` letters would meet.
    """
    places, shown = _some(names)
    letters = max(map(len, shown), default=0) * len(shown)
    turned: dict[str, Any] = {"rotation": 40, "ha": "right", "rotation_mode": "anchor"}
    axes.set_xticks(places, shown, **(turned if letters > side_by_side else {}))


def _some(names: Sequence[str]) -> tuple[range, list[str]]:
    places = range(0, len(names), -(-len(names) // _MOST_NAMES) or 1)
    return places, [shortened(names[place], _LONGEST_TICK) for place in places]


def _add_legend(figure: Figure, axes: Axes) -> None:
    """Below the chart, where it covers nothing; none of a single entry."""
    handles, labels = axes.get_legend_handles_labels()
    if len(labels) < 2:
        return
    shown = [shortened(label, _LONGEST_LEGEND) for label in labels]
    columns = max(1, min(len(shown), _LETTERS_OF_LEGEND // (max(map(len, shown)) + 6)))
    figure.set_figheight(_SIZE[1] + _INCHES_A_ROW * -(-len(shown) // columns))
    figure.legend(handles, shown, loc="outside lower center", ncols=columns, fontsize=8)


def _draw(axes: Axes, series: Series) -> None:
    x = [np.nan if v is None else v for v in series.x]
    y = [np.nan if v is None else v for v in series.y]
    band = None
    if series.low is not None and series.high is not None:
        band = np.asarray(series.low, dtype=float), np.asarray(series.high, dtype=float)
    label = series.name if series.in_legend else f"_{series.name}"
    color, alpha = series.color, 0.5 if series.faint else 1.0
    if series.kind in ("line", "steps"):
        drawstyle: Any = "steps-post" if series.kind == "steps" else "default"
        style = ":" if series.dashed else "-"
        width = 5.0 if series.big else 2.0 - series.faint
        axes.plot(
            x, y, style, color=color, alpha=alpha, lw=width, drawstyle=drawstyle, label=label,
            solid_capstyle="butt",
        )  # fmt: skip
        if band is not None:
            axes.fill_between(x, *band, color=color, alpha=0.18, lw=0)
        return
    marker = "x" if series.cross else "D" if series.big else "o"
    size = 60 if series.big else 18
    faces: Any = {"facecolors": "none", "edgecolors": color} if series.ring else {"color": color}
    axes.scatter(x, y, size, alpha=alpha, marker=marker, label=label, **faces)
    if band is not None:
        ends = [y - band[0], band[1] - np.asarray(y)]
        axes.errorbar(x, y, ends, fmt="none", color=color, capsize=3)


def _bars(axes: Axes, series: Series, place: int, total: int) -> None:
    """Lying down, so that long names can be read."""
    width = 0.8 / total
    names = [str(x) for x in series.x]
    heights = [0.0 if y is None else y for y in series.y]
    shifted = np.arange(len(names)) + (place - (total - 1) / 2) * width
    axes.barh(shifted, heights, width, color=series.color, label=series.name)
    axes.set_yticks(range(len(names)), [shortened(name, _LONGEST_TICK) for name in names])


def _heat(figure: Figure, axes: Axes, chart: Heat) -> None:
    z = np.array([[np.nan if v is None else v for v in row] for row in chart.z], dtype=float)
    if chart.smooth:
        drawn: Any = axes.contourf(chart.x, chart.y, z, levels=20, cmap="viridis")
    else:
        drawn = axes.imshow(z, cmap="Oranges", vmin=0, aspect="equal")
        axes.grid(visible=False)
        _name_ticks(axes, [str(v) for v in chart.x], _LETTERS_OF_HEAT)
        axes.set_yticks(*_some([str(v) for v in chart.y]))
        largest = np.nanmax(z, initial=0)
        for row, cells in enumerate(chart.text or []):
            for column, text in enumerate(cells):
                dark = z[row, column] > 0.6 * largest
                axes.text(
                    column, row, text, ha="center", va="center", fontsize=8,
                    color="white" if dark else "black",
                )  # fmt: skip
    figure.colorbar(drawn, ax=axes, label=chart.z_title)
    _axes(axes, chart)
    if chart.points is not None:
        axes.scatter(
            np.asarray(chart.points.x, dtype=float), np.asarray(chart.points.y, dtype=float), 14,
            color="white", edgecolors="black", linewidths=0.6,
        )  # fmt: skip


def _axes(axes: Axes, chart: XY | Heat) -> None:
    axes.set_xlabel(chart.x_title)
    axes.set_ylabel(chart.y_title)
    xs: list[object] = list(chart.x) if isinstance(chart, Heat) else []
    ys: list[object] = list(chart.y) if isinstance(chart, Heat) else []
    for series in chart.series if isinstance(chart, XY) else ():
        xs += series.x
        ys += series.y
    for axis, log, values in ((axes.xaxis, chart.x_log, xs), (axes.yaxis, chart.y_log, ys)):
        if log:
            getattr(axes, f"set_{axis.axis_name}scale")("log")
            # Plain numbers: matplotlib's own labels are formulas, which texts here never are.
            ticks = log_ticks(values)
            axis.set_major_locator(FixedLocator(ticks))
            axis.set_major_formatter(FixedFormatter([shown_number(tick) for tick in ticks]))
            axis.set_minor_formatter(NullFormatter())
    for axis, title in ((axes.xaxis, chart.x_title), (axes.yaxis, chart.y_title)):
        if title in ("epoch", "trial"):
            axis.set_major_locator(MaxNLocator(integer=True))
