"""runs.csv, summary.csv, report.md and report.tex."""

import csv
import io
from collections.abc import Iterable, Sequence

from cnnsweep.metric_names import duration
from cnnsweep.report.output.tables import (
    GROUP_COLUMNS,
    PAIR_COLUMNS,
    SUMMARY_COLUMNS,
    group_row,
    pair_rows,
    strata_of,
    summary_rows,
)
from cnnsweep.report.output.terminal import headline
from cnnsweep.report.read.escape import latex, markdown, spreadsheet
from cnnsweep.report.read.run_record import Run
from cnnsweep.report.stats.analysis import Answer
from cnnsweep.report.stats.grouping import label_of
from cnnsweep.report.stats.table import columns, rows

_MOST_PROBLEMS = 100
METHOD = (
    "Deviations are of single runs (n − 1); intervals are 95 % intervals of the mean. Pairs are "
    "compared by a two-sided paired t-test over common seeds (Welch's where there are none), "
    "corrected after Holm over all pairs; effects are standardised by the deviation of the "
    "differences (d_z; Hedges' g for Welch). Test images: exact McNemar test for each common "
    "seed, combined as twice the median p-value, corrected after Holm."
)


def runs_csv(answer: Answer) -> str:
    """One row a run."""
    names = columns(answer.runs)
    return _csv(names, rows(answer.runs, names))


def summary_csv(answer: Answer) -> str:
    """One row a group."""
    return _csv(SUMMARY_COLUMNS, summary_rows(answer))


def _csv(header: Sequence[str], body: Iterable[Sequence[object]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([spreadsheet(name) for name in header])
    writer.writerows([[spreadsheet(cell) for cell in row] for row in body])
    return text.getvalue()


def report_md(answer: Answer, pictures: Sequence[tuple[str, str]], idle: Sequence[str]) -> str:
    """The answer as Markdown; ``pictures`` are file names and captions."""
    lines = ["# Report", "", markdown(headline(answer)), ""]
    lines += _bullets([*answer.verdicts, *(winner.sentence() for winner in answer.winners)])
    for stratum, groups in strata_of(answer):
        lines += [f"## {markdown(answer.metric.name)}{markdown(stratum and f' ({stratum})')}", ""]
        lines += _table(GROUP_COLUMNS, [group_row(answer, group) for group in groups])
    if answer.comparison.pairs:
        lines += ["## Pairs", "", *_table(PAIR_COLUMNS, pair_rows(answer)), METHOD, ""]
    for stratum, best in answer.best():
        lines += [f"## Best runs{markdown(stratum and f' ({stratum})')}", ""]
        cells = [_best_row(answer, number, run) for number, run in enumerate(best, start=1)]
        lines += _table(("", answer.metric.name, "group", "seed", "training", "folder"), cells)
    lines += ["## Cost", "", markdown(" ".join([answer.cost.sentence(), *idle])), ""]
    lines += _bullets(f"{n}× {cause} ({run.folder})" for cause, n, run in answer.cost.failures)
    for name, caption in pictures:
        lines += [f"![{markdown(caption)}]({name})", "", markdown(caption), ""]
    if answer.notes or answer.gathered.problems:
        lines += ["## Notes", "", *_bullets([*answer.notes, *_problems(answer)])]
    return "\n".join(lines).rstrip() + "\n"


def _best_row(answer: Answer, number: int, run: Run) -> list[str]:
    seconds = run.figure("train_seconds")
    return [
        str(number),
        answer.metric.show(run.figure(answer.metric.name)),
        label_of(run, list(answer.question.by)),
        "–" if run.seed is None else str(run.seed),
        "–" if seconds is None else duration(seconds),
        str(run.folder),
    ]


def _problems(answer: Answer) -> list[str]:
    problems = answer.gathered.problems
    more = len(problems) - _MOST_PROBLEMS
    return [*problems[:_MOST_PROBLEMS], *([f"… and {more} more"] if more > 0 else [])]


def _bullets(lines: Iterable[str]) -> list[str]:
    bullets = [f"- {markdown(line)}" for line in lines]
    return [*bullets, ""] if bullets else []


def _table(header: Sequence[str], body: Sequence[Sequence[str]]) -> list[str]:
    marks = [":--" if i == 0 else "--:" for i in range(len(header))]
    table = [list(map(markdown, header)), marks, *([*map(markdown, row)] for row in body)]
    return [*(f"| {' | '.join(row)} |" for row in table), ""]


def report_tex(answer: Answer) -> str:
    """A LaTeX table of the groups (needs booktabs)."""
    lines = [r"% \usepackage{booktabs}", r"\begin{tabular}{lrrrrr}", r"\toprule"]
    lines += [" & ".join(map(latex, GROUP_COLUMNS)) + r" \\"]
    for stratum, groups in strata_of(answer):
        lines.append(r"\midrule")
        if stratum:
            lines.append(rf"\multicolumn{{6}}{{l}}{{{latex(stratum)}}} \\")
        lines += [" & ".join(map(latex, group_row(answer, group))) + r" \\" for group in groups]
    return "\n".join([*lines, r"\bottomrule", r"\end{tabular}"]) + "\n"
