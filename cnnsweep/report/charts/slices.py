"""Each hyperparameter against the objective."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from itertools import islice

import numpy as np
import numpy.typing as npt

from cnnsweep.report.charts.chart_model import XY, Chart, Colors, Series, count
from cnnsweep.report.stats.trial_table import Tried, axis_of

_MOST_KEYS = 8
_MOST_POINTS = 1500
_BINS = 40
_FEW_VALUES = 12
Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.intp]


def slices(sweeps: Sequence[Tried], colors: Colors) -> Iterator[Chart]:
    """One chart a hyperparameter, over all sweeps that varied it."""
    by_key: dict[str, list[Tried]] = defaultdict(list)
    for one in sweeps:
        for key in one.keys:
            by_key[key].append(one)
    for key, members in list(by_key.items())[:_MOST_KEYS]:
        yield _slice(key, [one for one in members if one.metric == members[0].metric], colors)


def _slice(key: str, members: Sequence[Tried], colors: Colors) -> XY:
    metric = members[0].metric
    axis = axis_of([value for one in members for value in one.column(key)])
    total, few_values = len(axis.places), len({*axis.places}) <= _FEW_VALUES
    summed_up = total > _MOST_POINTS
    make: Callable[[Tried, list[float], bool, str], Series] = _all_points
    if summed_up:
        make = _by_value if few_values else _by_step
    places = iter(axis.places)
    series = [
        make(one, list(islice(places, len(one.runs))), axis.log, colors[one.label])
        for one in members
    ]
    if summed_up:
        caption = "Median of the trials, and from their 10th to their 90th percentile, "
        steps = "for each value" if few_values else f"in {_BINS} steps"
        caption += f"{steps} of {key}: {count(total, 'completed trial')}"
    else:
        caption = f"Each point is one of {count(total, 'completed trial')}"
    caption += "; the axis is logarithmic." if axis.log else "."
    return XY(
        f"{key}-{metric.name}".replace("/", "-"), f"{metric.name} against {key}", caption, key,
        metric.title, series, x_log=axis.log, ticks=axis.names,
    )  # fmt: skip


def _all_points(one: Tried, xs: list[float], _log: bool, color: str) -> Series:
    hover = [str(run.folder) for run in one.runs]
    return Series(one.label, xs, one.heights(), "points", color, hover=hover)


def _by_value(one: Tried, xs: list[float], _log: bool, color: str) -> Series:
    values, places = np.unique(np.asarray(xs), return_inverse=True)
    low, middle, high = _percentiles(np.asarray(one.heights()), places)
    return Series(one.label, values.tolist(), middle, "points", color, low, high, big=True)


def _by_step(one: Tried, xs: list[float], log: bool, color: str) -> Series:
    x = np.asarray(xs)
    axis = np.log(x) if log else x
    edges = np.linspace(axis.min(), axis.max(), _BINS + 1)
    steps = np.clip(np.searchsorted(edges, axis, side="right") - 1, 0, _BINS - 1)
    used, places = np.unique(steps, return_inverse=True)
    centres = [float(np.median(x[steps == step])) for step in used]
    low, middle, high = _percentiles(np.asarray(one.heights()), places)
    return Series(one.label, centres, middle, "line", color, low, high)


def _percentiles(values: Floats, places: Integers) -> list[list[float]]:
    """The 10th, 50th and 90th percentile of the values in each place."""
    parts = [values[places == place] for place in range(int(places.max()) + 1)]
    return [[float(np.percentile(part, q)) for part in parts] for q in (10, 50, 90)]
