"""The tables of groups and of pairs, as plain rows for every kind of file."""

from collections.abc import Iterator, Sequence
from statistics import fmean

from cnnsweep.metric_names import duration
from cnnsweep.report.stats.analysis import Answer
from cnnsweep.report.stats.conclusions import show_images, show_p
from cnnsweep.report.stats.grouping import Group, name_stratum

MOST_PAIRS = 200
SUMMARY_COLUMNS = (
    "runs_with", "group", "n", "runs", "metric", "mean", "deviation", "interval_low",
    "interval_high", "parameters", "train_seconds", "images_per_second",
)  # fmt: skip
GROUP_COLUMNS = ("group", "n", "mean ± deviation", "95 % interval", "parameters", "training")
PAIR_COLUMNS = ("pair", "difference", "n", "p (Holm)", "effect", "test images")


def summary_rows(answer: Answer) -> Iterator[list[object]]:
    """Rows of summary.csv: numbers in the units of result.json."""
    for group in answer.grouping.groups:
        low, high = group.interval or (None, None)
        yield [
            name_stratum(group.stratum),
            group.label,
            group.n,
            len(group.runs),
            answer.metric.name,
            group.mean,
            group.deviation,
            low,
            high,
            *(mean_of(group, name) for name in SUMMARY_COLUMNS[-3:]),
        ]


def group_row(answer: Answer, group: Group) -> list[str]:
    """Cells for reading."""
    metric = answer.metric
    spread = metric.show_mean(group.mean, group.deviation, group.n).partition(" (n")[0]
    low, high = group.interval or (None, None)
    span = "–" if low is None else f"{metric.show(low)} to {metric.show(high)}"
    parameters, seconds = mean_of(group, "parameters"), mean_of(group, "train_seconds")
    return [
        group.label,
        str(group.n),
        spread,
        span,
        "–" if parameters is None else f"{parameters:,.0f}",
        "–" if seconds is None else duration(seconds),
    ]


def pair_rows(answer: Answer) -> list[list[str]]:
    """Cells for reading: every pair that was tested, strata named where there are several."""
    rows = []
    several = len(answer.grouping.strata()) > 1
    for pair in answer.comparison.pairs[:MOST_PAIRS]:
        d = pair.difference
        where = f" ({name_stratum(pair.better.stratum)})" if several else ""
        verdict = (
            "no verdict"
            if pair.too_few
            else show_p(pair.p_holm).removeprefix("p ").removeprefix("= ")
        )
        rows.append(
            [
                f"{pair.better.label} – {pair.worse.label}{where}",
                answer.metric.show_difference(d.mean, d.half_width),
                f"{d.n} ({d.kind})",
                verdict,
                "–" if d.effect is None else f"{d.effect:.2f}",
                show_images(pair) or "–",
            ]
        )
    return rows


def mean_of(group: Group, figure: str) -> float | None:
    """The mean of another figure over the group's runs; None where no run has it."""
    values = [value for run in group.runs if (value := run.figure(figure)) is not None]
    return fmean(values) if values else None


def strata_of(answer: Answer) -> Sequence[tuple[str, list[Group]]]:
    """Groups by the name of their stratum."""
    return [(name_stratum(s), groups) for s, groups in answer.grouping.strata().items()]
