"""runs.csv, summary.csv, report.md and report.tex."""

import csv
import io
import re
from collections.abc import Iterable, Sequence

from cnnsweep.report.answer.analysis import Answer
from cnnsweep.report.answer.block import Block
from cnnsweep.report.answer.winning.winners import winners_table
from cnnsweep.report.output.blocks import answer_blocks
from cnnsweep.report.output.columns import are_numbers
from cnnsweep.report.output.tables import GROUP_COLUMNS, METHOD, PLUS_MINUS, group_tables, headline
from cnnsweep.report.read.escape import latex, markdown, plain, spreadsheet
from cnnsweep.report.stats.grouping import Group
from cnnsweep.report.stats.table import columns, rows

_MOST_PROBLEMS = 100
_MEANS = ("parameters", "train_seconds", "images_per_second")
_SUMMARY_COLUMNS = (
    "runs_with", "group", "n", "runs", "metric", "mean", "deviation", "interval_low",
    "interval_high", *_MEANS, "settings", "never_learned", "searches", "deviation_of_searches",
    "deviation_of_seeds",
)  # fmt: skip


def runs_csv(answer: Answer) -> str:
    """One row a run."""
    names = columns(answer.runs)
    return _csv(names, rows(answer.runs, names))


def summary_csv(answer: Answer) -> str:
    """One row a group: numbers in the units of result.json."""
    name = answer.metric.name
    body = [
        [
            group.stratum, group.label, group.n, len(group.runs), name, group.mean,
            group.deviation, *(group.interval or (None, None)),
            *(group.mean_of(other) for other in _MEANS), group.settings,
            group.unlearned, *_of_searches(group),
        ]
        for group in answer.grouping.groups
    ]  # fmt: skip
    return _csv(_SUMMARY_COLUMNS, body)


def _of_searches(group: Group) -> tuple[object, ...]:
    one = group.nested
    return (None,) * 3 if one is None else (one.searches, one.of_searches, one.of_seeds)


def _csv(header: Sequence[str], body: Iterable[Sequence[object]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([spreadsheet(name) for name in header])
    writer.writerows([[spreadsheet(cell) for cell in row] for row in body])
    return text.getvalue()


def report_md(answer: Answer, pictures: Sequence[tuple[str, str]], idle: Sequence[str]) -> str:
    """The answer as Markdown; ``pictures`` are file names and captions."""
    lines = ["# Report", "", markdown(headline(answer)), ""]
    for block in answer_blocks(answer, idle):
        lines += block_md(block)
    lines += _bullets(f"{n}× {cause} ({run.folder})" for cause, n, run in answer.cost.failures)
    for name, caption in pictures:
        lines += [f"![{markdown(caption)}]({name})", "", markdown(caption), ""]
    if answer.notes or answer.gathered.problems:
        lines += ["## Notes", "", *_bullets([*answer.notes, *_problems(answer)])]
    return "\n".join(lines).rstrip() + "\n"


def block_md(block: Block) -> list[str]:
    """The Markdown lines of one part."""
    lines = [f"## {markdown(block.title)}", "", *_bullets(block.sentences)]
    if block.commands:
        lines += _verbatim(block.commands)
    if block.rows:
        lines += _table(block.columns, block.rows)
    return [*lines, markdown(block.caption), ""] if block.caption else lines


def _verbatim(commands: Sequence[str]) -> list[str]:
    """Lines as they are, in a fence that none of them can end."""
    shown = [plain(command) for command in commands]
    longest = max((len(run) for line in shown for run in re.findall("`+", line)), default=0)
    fence = "`" * max(3, longest + 1)
    return [f"{fence}text", *shown, fence, ""]


def _problems(answer: Answer) -> list[str]:
    problems = answer.gathered.problems
    more = len(problems) - _MOST_PROBLEMS
    return [*problems[:_MOST_PROBLEMS], *([f"… and {more} more"] if more > 0 else [])]


def _bullets(lines: Iterable[str]) -> list[str]:
    bullets = [f"- {markdown(line)}" for line in lines]
    return [*bullets, ""] if bullets else []


def _table(header: Sequence[str], body: Sequence[Sequence[str]]) -> list[str]:
    marks = ["--:" if is_number else ":--" for is_number in are_numbers(header, body)]
    table = [list(map(markdown, header)), marks, *([*map(markdown, row)] for row in body)]
    return [*(f"| {' | '.join(row)} |" for row in table), ""]


def report_tex(answer: Answer) -> str:
    """The answer's sentences as a paragraph, then its tables but the best runs (needs booktabs).

    Tables of groups, of ranked networks and of the winners with their settings, each with its
    caption below; the tests behind p-values last.
    """
    lines = [r"% \usepackage{booktabs}", latex(" ".join(answer.first.sentences)), ""]
    blocks = [ranking.block() for ranking in answer.rankings]
    for block in [*blocks, *winners_table(answer.winners)]:
        lines += _block_tex(block)
    groups = [(latex(name), rows) for name, rows in group_tables(answer)]
    lines += _table_tex(GROUP_COLUMNS, groups)
    footnotes = [PLUS_MINUS, *([f"Pairs: {METHOD}"] if answer.comparison.pairs else [])]
    for footnote in footnotes:
        lines += ["", latex(footnote)]
    return "\n".join(lines) + "\n"


def _block_tex(block: Block) -> list[str]:
    """A table with a column of settings, which may be broken, and what it means."""
    wide = [name for name in block.columns if name.startswith("settings")]
    table = _table_tex(block.columns, [("", block.rows)], wide)
    return [rf"\noindent\textbf{{{latex(block.title)}}}", "", *table, "", latex(block.caption), ""]


def _table_tex(
    columns: Sequence[str],
    parts: Iterable[tuple[str, Sequence[Sequence[str]]]],
    wide: Sequence[str] = (),
) -> list[str]:
    marks = ["l", *("p{0.35\\textwidth}" if name in wide else "r" for name in columns[1:])]
    lines = [rf"\begin{{tabular}}{{{''.join(marks)}}}", r"\toprule", _row_tex(columns)]
    for heading, body in parts:
        lines.append(r"\midrule")
        if heading:
            lines.append(rf"\multicolumn{{{len(columns)}}}{{l}}{{{heading}}} \\")
        lines += map(_row_tex, body)
    return [*lines, r"\bottomrule", r"\end{tabular}"]


def _row_tex(cells: Sequence[str]) -> str:
    return " & ".join(map(latex, cells)) + r" \\"
