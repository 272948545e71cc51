"""Metrics by epoch: the mean over the runs of each group and how far they spread."""

from collections.abc import Iterable, Iterator

import numpy as np

from cnnsweep.report.answer.analysis import Answer
from cnnsweep.report.charts.chart_model import XY, Chart, Colors, Series, count
from cnnsweep.report.read.run_record import Columns, Run
from cnnsweep.report.stats.grouping import Group

_MOST_GROUPS = 8
_MOST_STRATA = 4
_TITLES = {"accuracy": "Accuracy by epoch", "loss": "Loss by epoch"}


def learning_curves(answer: Answer, colors: Colors) -> Iterator[Chart]:
    """A chart of accuracy and one of loss for each stratum; of other apps, what they measured."""
    for groups in list(answer.grouping.strata().values())[:_MOST_STRATA]:
        shown = groups[:_MOST_GROUPS]
        names = dict.fromkeys(n for group in shown for run in group.runs for n in run.metrics)
        for kind, columns in drawn_columns(names).items():
            series = [
                line
                for group in shown
                for name in columns
                for line in _lines(group, name, colors, len(columns) > 1)
            ]
            if series:
                yield _chart(kind, columns, series, shown, len(groups))


def drawn_columns(names: Iterable[str]) -> dict[str, list[str]]:
    """Which of these columns of metrics.csv are drawn in a chart of accuracy, and in one of loss.

    Validation comes first, since it is solid; then training.
    """
    names, found = list(names), {}
    for kind, short in (("accuracy", "acc"), ("loss", "loss")):
        fitting = [name for name in names if short in name.lower()]
        validation = [name for name in fitting if "val" in name][:1]
        training = [name for name in fitting if "train" in name][:1]
        chosen = validation + training or fitting[:1]
        if chosen:
            found[kind] = chosen
    return found


def _chart(
    kind: str,
    columns: list[str],
    series: list[Series],
    groups: list[Group],
    total: int,
) -> XY:
    runs = [run for group in groups for run in group.runs]
    caption = f"Mean of each group, {columns[0]} solid"
    caption += f", {columns[1]} dashed" if len(columns) > 1 else ""
    caption += "; the band reaches one standard deviation of its runs up and down. "
    caption += f"{count(len(runs), 'run')}: "
    caption += ", ".join(f"{group.label} {len(group.runs)}" for group in groups) + "."
    if total > len(groups):
        caption += f" The best {len(groups)} of {total} groups."
    if len({_length(run.metrics) for run in runs}) > 1:
        caption += " Runs differ in length: each epoch has those that reached it."
    y_title = "accuracy (%)" if kind == "accuracy" else "loss"
    where = groups[0].where
    return XY(f"curves-{kind}{where}", _TITLES[kind] + where, caption, "epoch", y_title, series)


def _lines(group: Group, name: str, colors: Colors, several: bool) -> Iterator[Series]:
    runs = [run for run in group.runs if name in run.metrics]
    longest = max((_length(run.metrics) for run in runs), default=0)
    if longest == 0:
        return
    table = np.full((len(runs), longest), np.nan)
    for row, run in zip(table, runs, strict=True):
        column = _percent(run, name)
        row[: len(column)] = column
    reached = (~np.isnan(table)).sum(axis=0)
    kept = reached > 0
    mean = np.nansum(table, axis=0)[kept] / reached[kept]
    squares = np.nansum((table[:, kept] - mean) ** 2, axis=0)
    deviation = np.sqrt(squares / np.maximum(reached[kept] - 1, 1))
    training = several and "train" in name
    bottom = 0 if np.nanmin(table) >= 0 else -np.inf  # the band ends where the metric does
    top = 100 if "acc" in name.lower() and np.nanmax(table) <= 100 else np.inf
    yield Series(
        group.label, (np.flatnonzero(kept) + 1).tolist(), mean.tolist(), "line",
        colors[group.label],
        low=None if training else np.maximum(mean - deviation, bottom).tolist(),
        high=None if training else np.minimum(mean + deviation, top).tolist(),
        dashed=training, faint=training, in_legend=not training,
    )  # fmt: skip


def _percent(run: Run, name: str) -> list[float]:
    values = [np.nan if v is None else v for v in run.metrics[name]]
    scale = 100 if "acc" in name.lower() and np.nanmax([0, *values]) <= 1 else 1
    return [scale * value for value in values]


def _length(metrics: Columns) -> int:
    return max((len(column) for column in metrics.values()), default=0)
