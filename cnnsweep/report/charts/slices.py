"""Each hyperparameter against the objective."""

from collections import defaultdict
from collections.abc import Iterator, Sequence

import numpy as np

from cnnsweep.report.charts.chart import XY, Chart, Colors, Series, count
from cnnsweep.report.charts.tried import Tried, numbers, shown, wants_log
from cnnsweep.report.metric import Metric
from cnnsweep.report.safe_files import Scalar

_MOST_KEYS = 8
_MOST_POINTS = 1500
_BINS = 40


def slices(sweeps: Sequence[Tried], colors: Colors) -> Iterator[Chart]:
    """One chart a hyperparameter, over all sweeps that varied it."""
    by_key: dict[str, list[Tried]] = defaultdict(list)
    for one in sweeps:
        for key in one.keys:
            by_key[key].append(one)
    for key, members in list(by_key.items())[:_MOST_KEYS]:
        metric = members[0].metric
        alike = [one for one in members if one.metric == metric]
        yield _slice(key, alike, metric, colors)


def _slice(key: str, members: Sequence[Tried], metric: Metric, colors: Colors) -> XY:
    values = [run.config.get(key) for one in members for run in one.runs]
    as_numbers = numbers(values)
    numeric = as_numbers is not None
    log = as_numbers is not None and wants_log(as_numbers)
    names = sorted({shown(value) for value in values})
    binned = len(values) > _MOST_POINTS and numeric
    series = []
    for one in members:
        xs = [_place(run.config.get(key), numeric, names) for run in one.runs]
        ys = one.heights()
        make = _bins if binned else _all_points
        series.append(make(one, xs, ys, log, colors[one.label]))
    caption = f"Each point is one of {count(len(values), 'completed trial')}"
    if binned:
        caption = f"{count(len(values), 'completed trial')} in {_BINS} steps of {key}: median, and "
        caption += "band from the 10th to the 90th percentile"
    caption += "; the axis is logarithmic." if log else "."
    return XY(
        f"{key}-{metric.name}".replace("/", "-"), f"{metric.name} against {key}", caption, key,
        members[0].title(), series, x_log=log, ticks=None if numeric else names,
    )  # fmt: skip


def _all_points(one: Tried, xs: list[float], ys: list[float], log: bool, color: str) -> Series:
    del log
    hover = [str(run.folder) for run in one.runs]
    return Series(one.label, xs, ys, "points", color, hover=hover)


def _bins(one: Tried, xs: list[float], ys: list[float], log: bool, color: str) -> Series:
    x, y = np.asarray(xs), np.asarray(ys)
    axis = np.log(x) if log else x
    edges = np.linspace(axis.min(), axis.max(), _BINS + 1)
    bins = np.clip(np.searchsorted(edges, axis, side="right") - 1, 0, _BINS - 1)
    used = np.unique(bins)
    parts = [y[bins == b] for b in used]
    centres = np.array([np.median(x[bins == b]) for b in used])
    low, mid, high = (np.array([np.percentile(p, q) for p in parts]) for q in (10, 50, 90))
    return Series(
        one.label, centres.tolist(), mid.tolist(), "line", color, low.tolist(), high.tolist()
    )


def _place(value: Scalar, numeric: bool, names: list[str]) -> float:
    if numeric and isinstance(value, int | float):
        return float(value)
    return float(names.index(shown(value)))
