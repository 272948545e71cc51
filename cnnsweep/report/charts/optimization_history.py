"""The trials of a search in order, and their metric by epoch."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from statistics import fmean

import numpy as np

from cnnsweep.report.charts.chart_model import GREY, XY, Chart, Colors, Series, count
from cnnsweep.report.read.run_record import Run
from cnnsweep.report.stats.trial_table import Tried

_MOST_POINTS = 400  # a sweep
_MOST_LINES = 120
_FEW_LINES = 20  # more of them are drawn thin
_PRUNED = "#d55e00"


def history(sweeps: Sequence[Tried], colors: Colors) -> Iterator[Chart]:
    """Objective by trial, the best so far as steps, pruned trials as crosses."""
    searches = [one for one in sweeps if one.sweep.searched]
    if not searches:
        return
    metric = searches[0].metric
    alike = [one for one in searches if one.metric == metric]
    series: list[Series] = []
    done = pruned = 0
    for one in alike:
        points = _by_trial(one)
        crosses = _pruned(one)
        done, pruned = done + len(points), pruned + len(crosses)
        series += _course(one, points, crosses, colors[one.label])
    caption = "Each point is a trial, the line the best so far, a cross a pruned trial at its last "
    caption += f"value. {count(done, 'completed trial')}, {pruned:,} pruned"
    caption += f", in {len(alike)} sweeps" if len(alike) > 1 else ""
    many = any(len(one.runs) > _MOST_POINTS for one in alike)
    caption += (
        f"; of a long sweep, the best of neighbours ({_MOST_POINTS} points)." if many else "."
    )
    yield XY("history", "Optimisation history", caption, "trial", metric.title, series)


def _course(
    one: Tried, points: dict[int, float], crosses: dict[int, float], color: str
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
    if crosses:
        kept = list(crosses)[:: max(1, len(crosses) // _MOST_POINTS)]
        yield Series(
            f"{one.label}, pruned", kept, [crosses[t] for t in kept], "points", color,
            cross=True, in_legend=False, hover=[f"trial {t}, pruned" for t in kept],
        )  # fmt: skip


def _by_trial(one: Tried) -> dict[int, float]:
    values: dict[int, list[float]] = defaultdict(list)
    for order, (run, value) in enumerate(zip(one.runs, one.heights(), strict=True)):
        values[order if run.trial is None else run.trial].append(value)
    return {trial: fmean(values[trial]) for trial in sorted(values)}


def _pruned(one: Tried) -> dict[int, float]:
    found = {}
    for run in one.sweep.runs:
        column = [v for v in run.metrics.get(one.metric.name, []) if v is not None]
        if run.status == "pruned" and run.trial is not None and column:
            found[run.trial] = one.metric.scale * column[-1]
    return found


def _thinned(scores: "np.ndarray[tuple[int], np.dtype[np.float64]]") -> list[int]:
    """Indices of the best of each stretch of neighbours."""
    parts = np.array_split(np.arange(len(scores)), min(len(scores), _MOST_POINTS))
    return [int(part[np.argmax(scores[part])]) for part in parts]


def intermediate(one: Tried) -> Iterator[Chart]:
    """The objective by epoch of every trial: pruned ones end early."""
    own = [r for r in one.sweep.runs if r.role in ("search", "grid")]
    runs = [r for r in own if one.metric.name in r.metrics]
    completed = [run for run in runs if run.status == "completed"]
    pruned = [run for run in runs if run.status == "pruned"]
    if not pruned and not one.sweep.searched:
        return
    kept = [many[:: 1 + len(many) * 2 // _MOST_LINES] for many in (completed, pruned)]
    looks = (("completed", GREY), ("pruned", _PRUNED))
    series = [_bundle(one, many, *look) for many, look in zip(kept, looks, strict=True)]
    drawn, total = len(kept[0]) + len(kept[1]), len(completed) + len(pruned)
    caption = f"One line a trial: {len(completed):,} completed, {len(pruned):,} pruned"
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
