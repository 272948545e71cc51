"""All hyperparameters of a sweep side by side."""

from collections.abc import Iterator

import numpy as np

from cnnsweep.report.charts.chart_model import XY, Chart, Series, count
from cnnsweep.report.stats.trial_table import Axis, Tried, axis_of

_MOST_KEYS = 8
_MOST_LINES = 300
_SHADES = ("#440154", "#31688e", "#1f9e89", "#6ece58", "#e8c500")  # viridis: worst to best


def parallel(one: Tried) -> Iterator[Chart]:
    """Every trial a line over all its hyperparameters (two or more); the best drawn last."""
    if len(one.keys) < 2:
        return
    keys = [*one.keys[:_MOST_KEYS], one.metric.name]
    order = np.argsort([one.metric.sign() * value for value in one.values])[-_MOST_LINES:]
    axes = [axis_of(one.column(key)) for key in keys[:-1]]
    axes.append(Axis(one.heights(), log=False, names=None))
    heights = [_heights(axis) for axis in axes]
    series = []
    for fifth, part in enumerate(np.array_split(order, len(_SHADES))):
        xs: list[float | None] = []
        ys: list[float | None] = []
        for index in part:
            xs += [*map(float, range(len(keys))), None]
            ys += [*(float(height[index]) for height in heights), None]
        name = ("worst fifth", "4th", "3rd", "2nd", "best fifth")[fifth]
        series.append(Series(name, xs, ys, "line", _SHADES[fifth], faint=fifth < 4))
    notes = [note for x, axis in enumerate(axes) for note in _ends(x, axis)]
    caption = f"Each line is a trial, coloured by {one.metric.name}; the axes run from the smallest"
    caption += f" to the largest value. {count(len(order), 'completed trial')}"
    caption += f", the best of {len(one.runs):,}." if len(order) < len(one.runs) else "."
    yield XY(
        f"parallel-{one.label}", f"Hyperparameters side by side: {one.label}", caption, "", "",
        series, ticks=keys, notes=notes,
    )  # fmt: skip


def _heights(axis: Axis) -> list[float]:
    """The places in 0..1."""
    scaled = np.log(axis.places) if axis.log else np.asarray(axis.places)
    span = scaled.max() - scaled.min()
    heights: list[float] = ((scaled - scaled.min()) / (span or 1.0)).tolist()
    return heights


def _ends(x: int, axis: Axis) -> list[tuple[float, float, str]]:
    low, high = min(axis.places), max(axis.places)
    ends = (axis.names[0], axis.names[-1]) if axis.names else (f"{low:.3g}", f"{high:.3g}")
    return [(x, -0.06, ends[0]), (x, 1.06, ends[1])]
