"""Headline and tables of groups, pairs and best runs, as text for the terminal and every file."""

from collections.abc import Iterable

from cnnsweep.metric_names import duration
from cnnsweep.report.answer.analysis import Answer
from cnnsweep.report.answer.in_words import p_cell, show_images, show_p
from cnnsweep.report.read.run_record import Run
from cnnsweep.report.stats.comparison import Pair
from cnnsweep.report.stats.grouping import MOST_SHOWN, Group, label_of

_MOST_PAIRS = 200
GROUP_COLUMNS = ("group", "n", "mean", "95 % interval", "sd", "parameters", "training")
PLUS_MINUS = (
    "± is half of the 95 % interval of the mean, which fewer than three runs do not have; sd is "
    "the standard deviation of single runs, of a group of several searches that of a run with a "
    "new seed after a new search."
)
PAIR_COLUMNS = ("pair", "difference", "n", "p (Holm)", "effect", "test images")
METHOD = (
    "± is half of the 95 % interval of the mean difference. Groups that mix settings, or have a "
    "run that never learned, get neither interval nor comparison. Pairs are compared by a "
    "two-sided paired t-test over common seeds (Welch's where there are fewer than three), "
    "corrected after Holm over all pairs; effects are standardised by the deviation of the "
    "differences (d_z; Hedges' g for Welch). Test images: exact McNemar test for each common "
    "seed, one-sided, combined in either direction as twice the median p-value, corrected after "
    "Holm; its p says whether these trained networks differ on these images, that of the seeds "
    "whether the order would hold with other seeds, and verdicts go by the seeds. Networks that "
    "were searched several times are compared by Welch's test over the means of their searches. "
    "Equivalence within a margin (--margin): two one-sided t-tests, corrected after Holm."
)


def headline(answer: Answer) -> str:
    """``12 runs: 9 completed, 2 pruned, 1 failed; test_accuracy decides (higher is better)``."""
    counts = ", ".join(f"{count} {status}" for status, count in answer.gathered.counts().items())
    n = len(answer.runs)
    way = "higher" if answer.metric.maximize else "lower"
    return (
        f"{n} run{'s' if n != 1 else ''}: {counts}; {answer.metric.name} decides ({way} is better)"
    )


def group_tables(answer: Answer) -> list[tuple[str, list[list[str]]]]:
    """Rows for reading by stratum; its name is empty where there is only one."""
    strata = answer.grouping.strata()
    shown = ((name, groups[:MOST_SHOWN]) for name, groups in strata.items())
    return [(name, [_group_row(answer, group) for group in groups]) for name, groups in shown]


def _group_row(answer: Answer, group: Group) -> list[str]:
    metric = answer.metric
    parameters, seconds = group.mean_of("parameters"), group.mean_of("train_seconds")
    return [
        group.label + _never_learned(group),
        _counted(group),
        metric.show(group.mean),
        metric.show_interval(group.mean, group.interval),
        metric.show_deviation(group.deviation),
        "–" if parameters is None else f"{parameters:,.0f}",
        "–" if seconds is None else duration(seconds),
    ]


def _counted(group: Group) -> str:
    """``9 in 3 searches``: the interval is then that of the searches' means."""
    if group.nested is not None:
        return f"{group.n} in {group.nested.searches} searches"
    return f"{group.n} ({group.settings} settings)" if group.mixes else str(group.n)


def _never_learned(group: Group) -> str:
    return f" ({group.unlearned} of {len(group.runs)} never learned)" if group.unlearned else ""


def best_row(answer: Answer, number: int, run: Run, keys: Iterable[str] = ()) -> list[str]:
    """Place, metric, group, seed, ``keys``, epochs, time and folder of one of the best runs."""
    seconds = run.metric("train_seconds")
    return [
        str(number),
        answer.metric.show(run.metric(answer.metric.name))
        + (" (never learned)" if run.learned is False else ""),
        label_of(run, list(answer.question.by)),
        *(_short(run.value(key)) for key in ("seed", *keys)),
        str(run.epochs_done),
        "–" if seconds is None else duration(seconds),
        str(run.folder),
    ]


def _short(value: object) -> str:
    return "–" if value is None else f"{value:.4g}" if isinstance(value, float) else str(value)[:40]


def pair_rows(answer: Answer) -> list[list[str]]:
    """Cells for reading: every pair that was tested, strata named where there are several."""
    rows = []
    for pair in answer.comparison.pairs[:_MOST_PAIRS]:
        d = pair.difference
        p = p_cell(pair.p_holm)
        rows.append(
            [
                f"{pair.better.label} – {pair.worse.label}{pair.better.where}",
                answer.metric.show_difference(d.mean, d.half_width),
                f"{d.n} ({d.kind})",
                "no verdict" if pair.too_few else p + _equivalence(pair),
                "–" if d.effect is None else f"{d.effect:.2f}",
                show_images(pair) or "–",
            ]
        )
    return rows


def _equivalence(pair: Pair) -> str:
    return "" if pair.p_same is None else f"; equivalent: {show_p(pair.p_same)}"
