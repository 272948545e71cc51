"""The metric against parameters, training time and speed, with the Pareto front of the groups."""

from collections.abc import Iterator, Sequence
from statistics import fmean

from cnnsweep.report.answer.analysis import Answer
from cnnsweep.report.charts.chart_model import GREY, XY, Chart, Colors, Series, count
from cnnsweep.report.stats.grouping import Group
from cnnsweep.report.stats.metric import Metric, maximizes

_COSTS = {
    "parameters": "parameters",
    "train_seconds": "training time (s)",
    "images_per_second": "training images per second",
}
_MOST_POINTS = 1500
_MOST_STRATA = 4
_MOST_GROUPS = 12
Point = tuple[float, float]
Measured = list[tuple[Group, list[Point]]]  # cost and metric of each run


def trade_offs(answer: Answer, colors: Colors) -> Iterator[Chart]:
    """A chart for each cost that was measured, in each stratum."""
    for groups in list(answer.grouping.strata().values())[:_MOST_STRATA]:
        for cost, title in _COSTS.items():
            measured = [(g, _points(answer, g, cost)) for g in groups[:_MOST_GROUPS]]
            measured = [(group, points) for group, points in measured if points]
            if len(measured) > 1 and cost != answer.metric.name:
                chart = _chart(answer.metric, cost, title, measured, colors)
                if len(groups) > len(measured):
                    chart.caption += f" {len(measured)} of {len(groups)} groups: the best that "
                    chart.caption += "have the metric."
                yield chart


def _chart(metric: Metric, cost: str, title: str, measured: Measured, colors: Colors) -> XY:
    where = measured[0][0].where
    xs = [x for _, points in measured for x, _ in points]
    shown = measured if len(xs) <= _MOST_POINTS else []
    series = [_runs(group, points, metric.scale, colors) for group, points in shown]
    means = [(fmean(x for x, _ in points), group.mean) for group, points in measured]
    for (group, _), (x, mean) in zip(measured, means, strict=True):
        low, high = group.interval or (mean, mean)
        series.append(
            Series(
                group.label, [x], [metric.scale * mean], "points", colors[group.label],
                [metric.scale * low], [metric.scale * high], big=True,
                hover=[f"{group.label}, mean of {group.n}"],
            )
        )  # fmt: skip
    front = pareto(means, maximizes(cost), metric.maximize)
    if len(front) > 1:
        line = [x for x, _ in front], [metric.scale * y for _, y in front]
        series.insert(0, Series("Pareto front", *line, "line", GREY, dashed=True))
    caption = "Large: mean of each group with its 95 % interval; dashed: the Pareto front of the "
    caption += f"means, which no other group beats in both. {count(len(xs), 'run')}"
    caption += ", each a small point." if shown else ", too many to draw each."
    return XY(
        f"{metric.name}-{cost}{where}".replace("/", "-"), f"{metric.name} against {cost}{where}",
        caption, title, metric.title, series, x_log=min(xs) > 0 and max(xs) / min(xs) > 5,
    )  # fmt: skip


def _runs(group: Group, points: list[Point], scale: int, colors: Colors) -> Series:
    xs, ys = [x for x, _ in points], [scale * y for _, y in points]
    folders = [str(run.folder) for run in group.runs]
    color = colors[group.label]
    return Series(group.label, xs, ys, color=color, faint=True, hover=folders, in_legend=False)


def _points(answer: Answer, group: Group, cost: str) -> list[Point]:
    """Cost and metric of each run; [] unless all runs have both."""
    pairs = [(run.metric(cost), run.metric(answer.metric.name)) for run in group.runs]
    whole = [(x, y) for x, y in pairs if x is not None and y is not None]
    return whole if len(whole) == len(pairs) else []


def pareto(points: Sequence[Point], more_x: bool, more_y: bool) -> list[Point]:
    """The points that no other point beats or equals in both, from the cheapest."""
    sign_x, sign_y = (-1 if more_x else 1), (-1 if more_y else 1)
    front: list[Point] = []
    for x, y in sorted(set(points), key=lambda p: (sign_x * p[0], sign_y * p[1])):
        if not front or sign_y * y < sign_y * front[-1][1]:
            front.append((x, y))
    return front
