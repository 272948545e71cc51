"""All hyperparameters of a sweep side by side."""

from collections.abc import Iterator

import numpy as np

from cnnsweep.report.charts.chart_model import XY, Chart, Series, count
from cnnsweep.report.stats.trial_table import Tried, numbers, shown, wants_log

_MOST_KEYS = 8
_MOST_LINES = 300
_SHADES = ("#440154", "#31688e", "#1f9e89", "#6ece58", "#e8c500")  # viridis: worst to best


def parallel(one: Tried) -> Iterator[Chart]:
    """Every trial a line over all its hyperparameters (two or more); the best drawn last."""
    if len(one.keys) < 2:
        return
    keys = [*one.keys[:_MOST_KEYS], one.metric.name]
    order = np.argsort([one.metric.sign() * value for value in one.values])
    order = order[-_MOST_LINES:]
    columns = [_column(one, key) for key in keys[:-1]]
    columns.append((one.heights(), "linear", None))
    heights = [_heights(*column[:2]) for column in columns]
    series = []
    for fifth, part in enumerate(np.array_split(order, len(_SHADES))):
        xs: list[float | None] = []
        ys: list[float | None] = []
        for index in part:
            xs += [*map(float, range(len(keys))), None]
            ys += [*(float(height[index]) for height in heights), None]
        name = ("worst fifth", "4th", "3rd", "2nd", "best fifth")[fifth]
        series.append(Series(name, xs, ys, "line", _SHADES[fifth], faint=fifth < 4))
    notes = [note for x, (v, _, names) in enumerate(columns) for note in _ends(x, v, names)]
    caption = f"Each line is a trial, coloured by {one.metric.name}; the axes run from the smallest"
    caption += f" to the largest value. {count(len(order), 'completed trial')}"
    caption += f", the best of {len(one.runs):,}." if len(order) < len(one.runs) else "."
    yield XY(
        f"parallel-{one.label}", f"Hyperparameters side by side: {one.label}", caption, "", "",
        series, ticks=keys, notes=notes,
    )  # fmt: skip


_Column = tuple[list[float], str, list[str] | None]


def _column(one: Tried, key: str) -> _Column:
    values = [run.config.get(key) for run in one.runs]
    found = numbers(values)
    if found is not None:
        return found, "log" if wants_log(found) else "linear", None
    names = sorted({shown(value) for value in values})
    return [float(names.index(shown(value))) for value in values], "linear", names


def _heights(values: list[float], axis: str) -> list[float]:
    scaled = np.log(values) if axis == "log" else np.asarray(values, dtype=float)
    span = scaled.max() - scaled.min()
    heights: list[float] = ((scaled - scaled.min()) / (span or 1.0)).tolist()
    return heights


def _ends(x: int, values: list[float], names: list[str] | None) -> list[tuple[float, float, str]]:
    ends = [f"{min(values):.3g}", f"{max(values):.3g}"] if names is None else [names[0], names[-1]]
    return [(x, -0.06, ends[0]), (x, 1.06, ends[1])]
