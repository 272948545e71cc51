"""What mattered in a sweep: importances of hyperparameters, their values against the objective."""

import math
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice

import numpy as np
import numpy.typing as npt

from cnnsweep.report.charts.chart_model import (
    FIFTHS,
    XY,
    Chart,
    Colors,
    Heat,
    Series,
    count,
)
from cnnsweep.report.read.run_record import Run
from cnnsweep.report.stats.trial_table import Axis, Tried, axis_of, numbers, wants_log

_MOST_KEYS = 8
_MOST_POINTS = 1500  # of a slice; more are summed up
_MOST_MAPPED = 300  # points of a contour
_MOST_LINES = 300  # of parallel coordinates
_BINS = 40  # of a slice that is summed up
_FEW_VALUES = 12  # of a hyperparameter: each is a place of its own
_CELLS = 40  # of a contour, along either axis
_FEWEST = 8  # trials of a contour
Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.intp]
Importances = Mapping[str, float]


def importances(sweeps: Sequence[tuple[Tried, Importances]], colors: Colors) -> Iterator[Chart]:
    """Bars for each hyperparameter, one colour a sweep; nothing of a sweep that varied only one."""
    told = [(one, parts) for one, parts in sweeps if len(parts) > 1]
    if not told:
        return
    keys = list(dict.fromkeys(key for _, parts in told for key in parts))
    series = [
        Series(one.label, keys, [parts.get(key) for key in keys], "bars", colors[one.label])
        for one, parts in told
    ]
    total = sum(len(one.runs) for one, _ in told)
    caption = "Share of the objective's variation among the better trials that each hyperparameter "
    caption += (
        f"explains (Optuna's PED-ANOVA; shares add up to 1). {count(total, 'completed trial')}"
    )
    caption += f" in {len(told)} sweeps." if len(told) > 1 else "." + told[0][0].left_out()
    some = dict.fromkeys(key for one, _ in told for key in one.keys if one.lacks(key))
    if some:
        caption += f" Left out: {', '.join(some)}, which not every trial has."
    yield XY("importance", "Hyperparameter importance", caption, "", "importance", series)


def contour(one: Tried, parts: Importances) -> Iterator[Chart]:
    """The objective over the two numeric hyperparameters that matter most, smoothed."""
    ranked = sorted(one.keys, key=lambda key: -parts.get(key, 0.0))
    found = {key: numbers(one.having(key).column(key)) for key in ranked}
    names = [key for key, v in found.items() if v is not None and len(set(v)) >= 4][:2]
    if len(names) < 2 or len((one := one.having(*names)).runs) < _FEWEST:
        return
    x_name, y_name = names
    xs, ys = (numbers(one.column(key)) or [] for key in names)
    x_log, y_log = wants_log(xs), wants_log(ys)
    z, gx, gy = _smoothed(np.asarray(xs), np.asarray(ys), np.asarray(one.heights()), x_log, y_log)
    order = one.best(_MOST_MAPPED)
    points = Series(
        "trials", [xs[i] for i in order], [ys[i] for i in order], "points", "#ffffff",
        hover=[f"{one.metric.show(one.values[i])} {one.runs[i].folder}" for i in order],
    )  # fmt: skip
    caption = f"Smoothed from {count(len(one.runs), 'completed trial')} (points"
    caption += f": the best {len(order)})." if len(order) < len(one.runs) else ")."
    caption += " Between points it is a guess, the more so the fewer there are." + one.left_out()
    yield Heat(
        f"contour-{one.label}", f"{x_name} and {y_name}: {one.label}", caption, x_name, y_name,
        gx.tolist(), gy.tolist(), z.tolist(), one.metric.title, points=points, x_log=x_log,
        y_log=y_log, smooth=True,
    )  # fmt: skip


def _smoothed(
    xs: Floats, ys: Floats, values: Floats, x_log: bool, y_log: bool
) -> tuple[Floats, Floats, Floats]:
    """Gaussian kernel means on a grid; ``z[row, column]`` belongs to ``gy[row], gx[column]``."""
    u, gu, gx = _unit(xs, x_log)
    v, gv, gy = _unit(ys, y_log)
    width = max(0.06, 0.5 / math.sqrt(len(u)))
    near_x = np.exp(-((gu[:, None] - u) ** 2) / (2 * width**2))
    near_y = np.exp(-((gv[:, None] - v) ** 2) / (2 * width**2))
    weights = near_y @ near_x.T + 1e-12
    return (near_y * values) @ near_x.T / weights, gx, gy


def _unit(values: Floats, log: bool) -> tuple[Floats, Floats, Floats]:
    """Values in 0..1, a grid over the same range, and the grid in the values' own unit."""
    axis = np.log(values) if log else values
    low, span = axis.min(), axis.max() - axis.min()
    grid = np.linspace(0.0, 1.0, _CELLS)
    own = low + grid * span
    return (axis - low) / span, grid, np.exp(own) if log else own


def slices(sweeps: Sequence[Tried], colors: Colors) -> Iterator[Chart]:
    """One chart a hyperparameter, over all sweeps that varied it."""
    by_key: dict[str, list[Tried]] = defaultdict(list)
    for one in sweeps:
        for key in one.keys:
            if (having := one.having(key)).runs:
                by_key[key].append(having)
    for key, members in list(by_key.items())[:_MOST_KEYS]:
        yield _slice(key, [one for one in members if one.metric == members[0].metric], colors)


def _slice(key: str, members: Sequence[Tried], colors: Colors) -> XY:
    metric = members[0].metric
    waiting = [(one, run, height) for one in members for run, height in one.so_far()]
    paused, waiting = len(waiting), waiting[:: 1 + len(waiting) // _MOST_POINTS]
    done = [value for one in members for value in one.column(key)]
    axis = axis_of([*done, *(run.configured(key) for _, run, _ in waiting)])
    total, few_values = len(done), len({*axis.places}) <= _FEW_VALUES
    summed_up = total > _MOST_POINTS
    make: Callable[[Tried, list[float], bool, str], Series] = _all_points
    if summed_up:
        make = _by_value if few_values else _by_step
    places = iter(axis.places)
    series = [
        make(one, list(islice(places, len(one.runs))), axis.log, colors[one.label])
        for one in members
    ]
    series += [_waiting(waiting, one, axis.places[total:], colors) for one in members]
    if summed_up:
        caption = "Median of the trials, and from their 10th to their 90th percentile, "
        steps = "for each value" if few_values else f"in {_BINS} steps"
        caption += f"{steps} of {key}: {count(total, 'completed trial')}"
    else:
        caption = f"Each point is one of {count(total, 'completed trial')}"
    caption += "; the axis is logarithmic." if axis.log else "."
    if waiting:
        caption += f" A ring is one of {paused:,} paused ones at its last value so far."
    return XY(
        f"{key}-{metric.name}".replace("/", "-"), f"{metric.name} against {key}", caption, key,
        metric.title, [s for s in series if s.x], x_log=axis.log, ticks=axis.names,
    )  # fmt: skip


def _all_points(one: Tried, xs: list[float], _log: bool, color: str) -> Series:
    hover = [str(run.folder) for run in one.runs]
    return Series(one.label, xs, one.heights(), "points", color, hover=hover)


def _waiting(
    waiting: Sequence[tuple[Tried, Run, float]], one: Tried, places: Sequence[float], colors: Colors
) -> Series:
    """The paused trials of one sweep."""
    own = [(x, run, y) for (of, run, y), x in zip(waiting, places, strict=True) if of is one]
    return Series(
        f"{one.label}, paused", [x for x, _, _ in own], [y for _, _, y in own], "points",
        colors[one.label], ring=True, faint=True, in_legend=False,
        hover=[f"{run.folder}, paused at epoch {run.epochs_done}" for _, run, _ in own],
    )  # fmt: skip


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


def parallel(one: Tried) -> Iterator[Chart]:
    """Every trial a line over all its hyperparameters (two or more); the best drawn last."""
    having = {key: trials for key in one.keys if (trials := one.having(key)).runs}
    if len(having) < 2:
        return
    keys = [*list(having)[:_MOST_KEYS], one.metric.name]
    order = one.best(_MOST_LINES)
    axes = [axis_of(having[key].column(key)) for key in keys[:-1]]
    axes.append(Axis(one.heights(), log=False, names=None))
    heights = [_over_all(one, key, axis) for key, axis in zip(keys, axes, strict=True)]
    series = []
    for (name, shade), part in zip(FIFTHS, np.array_split(order, len(FIFTHS)), strict=True):
        xs: list[float | None] = []
        ys: list[float | None] = []
        for index in part:
            xs += [*map(float, range(len(keys))), None]
            ys += [*(height[index] for height in heights), None]
        series.append(Series(name, xs, ys, "line", shade, faint=name != FIFTHS[-1][0]))
    notes = [note for x, axis in enumerate(axes) for note in _ends(x, axis)]
    caption = f"Each line is a trial, coloured by {one.metric.name}; the axes run from the smallest"
    caption += f" to the largest value. {count(len(order), 'completed trial')}"
    caption += f", the best of {len(one.runs):,}." if len(order) < len(one.runs) else "."
    if any(map(one.lacks, keys[:-1])):
        caption += " A line has a gap where its trial has no such key."
    caption += one.left_out()
    yield XY(
        f"parallel-{one.label}", f"Hyperparameters side by side: {one.label}", caption, "", "",
        series, ticks=keys, notes=notes,
    )  # fmt: skip


def _over_all(one: Tried, key: str, axis: Axis) -> list[float | None]:
    """The heights of all trials; None for those that lack the key."""
    if len(axis.places) == len(one.runs):
        return [*_heights(axis)]
    places = iter(_heights(axis))
    return [next(places) if key in run.config else None for run in one.runs]


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
