"""How good against how expensive: parameters, time, speed; and who isn't beaten in both."""

from collections.abc import Iterator, Sequence
from statistics import fmean

from cnnsweep.report.charts.chart_model import GREY, XY, Chart, Colors, Series, count
from cnnsweep.report.stats.analysis import Answer
from cnnsweep.report.stats.grouping import Group
from cnnsweep.report.stats.metric import maximizes

_COSTS = {
    "parameters": "parameters",
    "train_seconds": "training time (s)",
    "images_per_second": "training images per second",
}
_MOST_POINTS = 1500
_MOST_STRATA = 4
_MOST_GROUPS = 12
Point = tuple[float, float]


def trade_offs(answer: Answer, colors: Colors) -> Iterator[Chart]:
    """A chart for each cost that was measured, in each stratum."""
    for groups in list(answer.grouping.strata().values())[:_MOST_STRATA]:
        for figure, title in _COSTS.items():
            points = {id(group): _points(answer, group, figure) for group in groups[:_MOST_GROUPS]}
            with_points = [group for group in groups[:_MOST_GROUPS] if points[id(group)]]
            if len(with_points) > 1 and figure != answer.metric.name:
                yield _chart(answer, figure, title, with_points, points, colors, len(groups))


def _chart(
    answer: Answer,
    figure: str,
    title: str,
    groups: list[Group],
    points: dict[int, list[Point]],
    colors: Colors,
    all_groups: int,
) -> XY:
    metric, where = answer.metric, groups[0].where
    total = sum(len(points[id(group)]) for group in groups)
    shown = groups if total <= _MOST_POINTS else []
    series = [_runs(g, points[id(g)], metric.scale, colors) for g in shown]
    means = [(fmean(x for x, _ in points[id(g)]), g.mean) for g in groups]
    for group, (x, mean) in zip(groups, means, strict=True):
        low, high = group.interval or (mean, mean)
        series.append(
            Series(
                group.label, [x], [metric.scale * mean], "points", colors[group.label],
                [metric.scale * low], [metric.scale * high], big=True,
                hover=[f"{group.label}, mean of {group.n}"],
            )
        )  # fmt: skip
    front = pareto(means, maximizes(figure), metric.maximize)
    if len(front) > 1:
        xs, ys = [x for x, _ in front], [metric.scale * y for _, y in front]
        series.insert(0, Series("Pareto front", xs, ys, "line", GREY, dashed=True))
    caption = "Large: mean of each group with its 95 % interval; dashed: the Pareto front of the "
    caption += f"means, which no other group beats in both. {count(total, 'run')}"
    caption += ", each a small point." if shown else ", too many to draw each."
    if all_groups > len(groups):
        caption += f" {len(groups)} of {all_groups} groups: the best that have the figure."
    xs = [x for group in groups for x, _ in points[id(group)]]
    return XY(
        f"{metric.name}-{figure}{where}".replace("/", "-"),
        f"{metric.name} against {figure}{where}",
        caption,
        title,
        metric.title,
        series,
        x_log=min(xs) > 0 and max(xs) / min(xs) > 5,
    )


def _runs(group: Group, points: list[Point], scale: int, colors: Colors) -> Series:
    return Series(
        group.label,
        [x for x, _ in points],
        [scale * y for _, y in points],
        "points",
        colors[group.label],
        faint=True,
        hover=[str(run.folder) for run in group.runs],
        in_legend=False,
    )


def _points(answer: Answer, group: Group, figure: str) -> list[Point]:
    """Cost and metric of each run; [] unless all runs have both."""
    pairs = [(run.metric(figure), run.metric(answer.metric.name)) for run in group.runs]
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
