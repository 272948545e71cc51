"""The answer on the terminal: best runs, groups, a sentence of verdict."""

from collections.abc import Iterable

from rich.console import Console
from rich.table import Table
from rich.text import Text

from cnnsweep.metric_names import duration
from cnnsweep.report.read.escape import plain
from cnnsweep.report.read.run_record import Run
from cnnsweep.report.stats.analysis import Answer
from cnnsweep.report.stats.grouping import label_of, name_stratum, setting_keys

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


def headline(answer: Answer) -> str:
    """``12 runs: 9 completed, 2 pruned, 1 failed; compared by test_accuracy``."""
    counts = ", ".join(f"{count} {status}" for status, count in answer.gathered.counts().items())
    n = len(answer.runs)
    way = "higher" if answer.metric.maximize else "lower"
    return (
        f"{n} run{'s' if n != 1 else ''}: {counts}; {answer.metric.name} decides ({way} is better)"
    )


def _lines(console: Console, lines: Iterable[str], kind: str, style: str) -> None:
    lines = list(lines)
    for line in lines[:_MOST_LINES]:
        console.print(_text(f"{kind}: {line}", style=style))
    if len(lines) > _MOST_LINES:
        console.print(_text(f"… and {len(lines) - _MOST_LINES} more of these", style=style))


def _best_runs(answer: Answer, stratum: str, runs: list[Run]) -> Table:
    by, metric = answer.question.by, answer.metric
    keys = setting_keys(runs, by)[:_MOST_SETTINGS]
    table = Table(title=f"Best runs{f' ({stratum})' if stratum else ''}", title_justify="left")
    for name in ("#", metric.name):
        table.add_column(_text(name), justify="right", no_wrap=True)
    for name in (", ".join(by), "seed", *keys):
        table.add_column(_text(name))
    for name in ("epochs", "time"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("folder", overflow="fold", ratio=1)
    for number, run in enumerate(runs, start=1):
        settings = [_short(run.value(key)) for key in ("seed", *keys)]
        cells = [
            str(number),
            metric.show(run.figure(metric.name)),
            label_of(run, list(by)),
            *settings,
        ]
        seconds = run.figure("train_seconds")
        cells += [str(run.epochs_done), "–" if seconds is None else duration(seconds)]
        table.add_row(*map(_text, [*cells, str(run.folder)]))
    return table


def _groups(answer: Answer) -> Table:
    metric, strata = answer.metric, answer.grouping.strata()
    table = Table(title=f"{metric.name} by {', '.join(answer.question.by)}", title_justify="left")
    if len(strata) > 1:
        table.add_column("runs with")
    table.add_column("group")
    for name in ("n", "mean ± deviation", "95 % interval"):
        table.add_column(name, justify="right")
    for stratum, groups in strata.items():
        for group in groups:
            mean = metric.show_mean(group.mean, group.deviation, group.n).partition(" (n")[0]
            low, high = group.interval or (None, None)
            span = "–" if low is None else f"{metric.show(low)} to {metric.show(high)}"
            cells = [name_stratum(stratum)] if len(strata) > 1 else []
            table.add_row(*map(_text, [*cells, group.label, str(group.n), mean, span]))
    return table


def _short(value: object) -> str:
    return "–" if value is None else f"{value:.4g}" if isinstance(value, float) else str(value)[:40]


def _text(content: str, style: str = "") -> Text:
    """Text as it is: no markup, no control characters from a folder reach the terminal."""
    return Text(plain(content), style)
