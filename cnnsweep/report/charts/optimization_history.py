"""The trials of a search in order, and their metric by epoch.

Trials that were pruned, or are paused, have no final value: their last one is shown as a mark of
its own, and the best so far never counts it.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from statistics import fmean

import numpy as np

from cnnsweep.folders.run_folder import PAUSED
from cnnsweep.report.charts.chart_model import GREY, XY, Chart, Colors, Series, count
from cnnsweep.report.read.run_record import Run
from cnnsweep.report.stats.trial_table import Tried

_MOST_POINTS = 400  # a sweep
_MOST_LINES = 120
_FEW_LINES = 20  # more of them are drawn thin
_COLORS = {"pruned": "#d55e00", PAUSED: "#56b4e9"}  # of what ended before its last epoch


def history(sweeps: Sequence[Tried], colors: Colors) -> Iterator[Chart]:
    """Objective by trial, the best so far as steps, pruned trials as crosses, paused as rings."""
    searches = [one for one in sweeps if one.sweep.searched]
    if not searches:
        return
    metric = searches[0].metric
    alike = [one for one in searches if one.metric == metric]
    series: list[Series] = []
    counted = {"completed": 0, "pruned": 0, PAUSED: 0}
    for one in alike:
        points = _by_trial(one)
        short = {status: _last_values(one, status) for status in _COLORS}
        counted["completed"] += len(points)
        for status, marks in short.items():
            counted[status] += len(marks)
        series += _course(one, points, short, colors[one.label])
    caption = "Each point is a trial, the line the best so far, a cross a pruned trial at its last "
    caption += "value" + (", a ring a paused one at its last so far" if counted[PAUSED] else "")
    caption += f". {count(counted['completed'], 'completed trial')}, {counted['pruned']:,} pruned"
    caption += f", {counted[PAUSED]:,} paused" if counted[PAUSED] else ""
    caption += f", in {len(alike)} sweeps" if len(alike) > 1 else ""
    many = any(len(one.runs) > _MOST_POINTS for one in alike)
    caption += (
        f"; of a long sweep, the best of neighbours ({_MOST_POINTS} points)." if many else "."
    )
    yield XY("history", "Optimisation history", caption, "trial", metric.title, series)


def _course(
    one: Tried, points: dict[int, float], short: dict[str, dict[int, float]], color: str
) -> Iterator[Series]:
    best = np.maximum if one.metric.maximize else np.minimum
    trials, values = list(points), np.array(list(points.values()))
    so_far = best.accumulate(values)
    steps = [0, *(np.flatnonzero(np.diff(so_far)) + 1).tolist(), len(trials) - 1]
    yield Series(one.label, [trials[i] for i in steps], so_far[steps].tolist(), "steps", color)
    shown = _thinned(values * one.metric.sign())
    yield Series(
        one.label, [trials[i] for i in shown], values[shown].tolist(), "points", color,
        faint=True, in_legend=False, hover=[f"trial {trials[i]}" for i in shown],
    )  # fmt: skip
    for status, marks in short.items():
        kept = list(marks)[:: max(1, len(marks) // _MOST_POINTS)]
        if kept:
            yield Series(
                f"{one.label}, {status}", kept, [marks[t] for t in kept], "points", color,
                cross=status != PAUSED, ring=status == PAUSED, in_legend=False,
                hover=[f"trial {t}, {status}" for t in kept],
            )  # fmt: skip


def _by_trial(one: Tried) -> dict[int, float]:
    values: dict[int, list[float]] = defaultdict(list)
    for order, (run, value) in enumerate(zip(one.runs, one.heights(), strict=True)):
        values[order if run.trial is None else run.trial].append(value)
    return {trial: fmean(values[trial]) for trial in sorted(values)}


def _last_values(one: Tried, status: str) -> dict[int, float]:
    """Of the trials that ended so, by number."""
    found = {}
    for run in one.sweep.runs:
        column = [v for v in run.metrics.get(one.metric.name, []) if v is not None]
        if run.status == status and run.trial is not None and column:
            found[run.trial] = one.metric.scale * column[-1]
    return found


def _thinned(scores: "np.ndarray[tuple[int], np.dtype[np.float64]]") -> list[int]:
    """Indices of the best of each stretch of neighbours."""
    parts = np.array_split(np.arange(len(scores)), min(len(scores), _MOST_POINTS))
    return [int(part[np.argmax(scores[part])]) for part in parts]


def intermediate(one: Tried) -> Iterator[Chart]:
    """The objective by epoch of every trial: pruned and paused ones end early."""
    own = [r for r in one.sweep.runs if r.role in ("search", "grid")]
    runs = [r for r in own if one.metric.name in r.metrics]
    looks = {"completed": GREY, **_COLORS}
    lines = {status: [run for run in runs if run.status == status] for status in looks}
    if not one.sweep.searched and not any(lines[status] for status in _COLORS):
        return
    kept = {s: many[:: 1 + len(many) * 2 // _MOST_LINES] for s, many in lines.items()}
    series = [_bundle(one, kept[status], status, look) for status, look in looks.items()]
    drawn, total = (sum(map(len, several.values())) for several in (kept, lines))
    caption = f"One line a trial: {len(lines['completed']):,} completed"
    caption += f", {len(lines['pruned']):,} pruned"
    caption += f", {len(lines[PAUSED]):,} paused" if lines[PAUSED] else ""
    caption += f"; {drawn} of them drawn, evenly chosen." if drawn < total else "."
    yield XY(
        f"intermediate-{one.label}", f"Intermediate values: {one.label}", caption, "epoch",
        one.metric.title, [s for s in series if s.x],
    )  # fmt: skip


def _bundle(one: Tried, runs: list[Run], name: str, color: str) -> Series:
    """Many runs as one line with gaps."""
    xs: list[float | None] = []
    ys: list[float | None] = []
    for run in runs:
        column = run.metrics[one.metric.name]
        xs += [*map(float, range(1, len(column) + 1)), None]
        ys += [*(None if v is None else one.metric.scale * v for v in column), None]
    return Series(name, xs, ys, "line", color, faint=len(runs) > _FEW_LINES or color == GREY)
