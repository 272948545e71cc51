"""What mattered: Optuna's importances, and a map of the two that mattered most."""

import math
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import numpy.typing as npt

from cnnsweep.report.charts.chart_model import XY, Chart, Colors, Heat, Series, count
from cnnsweep.report.stats.trial_table import Tried, numbers, wants_log

_CELLS = 40
_MOST_POINTS = 300
_FEWEST = 8
Floats = npt.NDArray[np.float64]
Importances = Mapping[str, float]


def importances(sweeps: Sequence[tuple[Tried, Importances]], colors: Colors) -> Iterator[Chart]:
    """Bars for each hyperparameter, one colour a sweep."""
    told = [(one, parts) for one, parts in sweeps if parts]
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
    caption += f" in {len(told)} sweeps." if len(told) > 1 else "."
    yield XY("importance", "Hyperparameter importance", caption, "", "importance", series)


def contour(one: Tried, parts: Importances) -> Iterator[Chart]:
    """The objective over the two numeric hyperparameters that matter most, smoothed."""
    ranked = sorted(one.keys, key=lambda key: -parts.get(key, 0.0))
    found = {key: numbers(one.column(key)) for key in ranked}
    axes = [(key, v) for key, v in found.items() if v is not None and len(set(v)) >= 4][:2]
    if len(axes) < 2 or len(one.runs) < _FEWEST:
        return
    (x_name, xs), (y_name, ys) = axes
    x_log, y_log = wants_log(xs), wants_log(ys)
    z, gx, gy = _smoothed(np.asarray(xs), np.asarray(ys), np.asarray(one.heights()), x_log, y_log)
    order = np.argsort([one.metric.sign() * value for value in one.values])[-_MOST_POINTS:]
    points = Series(
        "trials", [xs[i] for i in order], [ys[i] for i in order], "points", "#ffffff",
        hover=[f"{one.metric.show(one.values[i])} {one.runs[i].folder}" for i in order],
    )  # fmt: skip
    caption = f"Smoothed from {count(len(one.runs), 'completed trial')} (points"
    caption += f": the best {len(order)})." if len(order) < len(one.runs) else ")."
    caption += " Between points it is a guess, the more so the fewer there are."
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
