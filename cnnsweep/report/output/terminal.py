"""The answer on the terminal: best runs, groups, a sentence of verdict."""

from rich.console import Console
from rich.table import Table
from rich.text import Text

from cnnsweep.report.output.tables import GROUP_COLUMNS, best_row, group_tables, headline
from cnnsweep.report.read.escape import plain
from cnnsweep.report.read.run_record import Run
from cnnsweep.report.stats.analysis import Answer
from cnnsweep.report.stats.group_keys import setting_keys

_MOST_LINES = 5
_MOST_SETTINGS = 3


def show(answer: Answer, console: Console) -> None:
    """Print the short form. Text from folders is never taken for markup."""
    console.print(_text(headline(answer), style="bold"))
    for stratum, runs in answer.best():
        console.print(_best_runs(answer, stratum, runs))
    if answer.grouping.groups:
        console.print(_groups(answer))
    for sentence in answer.verdicts:
        console.print(_text(sentence, style="bold"))
    for winner in answer.winners[:_MOST_LINES]:
        console.print(_text(winner.sentence()))
    console.print(_text(answer.cost.sentence()))
    for cause, count, run in answer.cost.failures[:_MOST_LINES]:
        console.print(_text(f"failed {count}×: {cause} ({run.folder})", style="red"))
    _lines(console, answer.notes, "note", "yellow")
    _lines(console, answer.gathered.problems, "not read", "red")


def _lines(console: Console, lines: list[str], kind: str, style: str) -> None:
    for line in lines[:_MOST_LINES]:
        console.print(_text(f"{kind}: {line}", style=style))
    if len(lines) > _MOST_LINES:
        console.print(_text(f"… and {len(lines) - _MOST_LINES} more of these", style=style))


def _best_runs(answer: Answer, stratum: str, runs: list[Run]) -> Table:
    by = answer.question.by
    keys = setting_keys(runs, by)[:_MOST_SETTINGS]
    table = Table(title=f"Best runs{f' ({stratum})' if stratum else ''}", title_justify="left")
    for name in ("#", answer.metric.name):
        table.add_column(_text(name), justify="right", no_wrap=True)
    for name in (", ".join(by), "seed", *keys):
        table.add_column(_text(name))
    for name in ("epochs", "time"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("folder", overflow="fold", ratio=1)
    for number, run in enumerate(runs, start=1):
        table.add_row(*map(_text, best_row(answer, number, run, keys)))
    return table


def _groups(answer: Answer) -> Table:
    strata = group_tables(answer)
    title = f"{answer.metric.name} by {', '.join(answer.question.by)}"
    table = Table(title=title, title_justify="left")
    if len(strata) > 1:
        table.add_column("runs with")
    table.add_column(GROUP_COLUMNS[0])
    for name in GROUP_COLUMNS[1:4]:
        table.add_column(name, justify="right")
    for stratum, rows in strata:
        for row in rows:
            table.add_row(*map(_text, [*filter(None, [stratum]), *row[:4]]))
    return table


def _text(content: str, style: str = "") -> Text:
    """Text as it is: no markup, no control characters from a folder reach the terminal."""
    return Text(plain(content), style)
