"""What a grid says in the end: how many jobs were completed, and a table of what came out."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from io import StringIO
from statistics import mean
from typing import Any

from optuna.trial import FrozenTrial, TrialState
from rich.console import Console
from rich.table import Table
from rich.text import Text

from cnnsweep.errors import and_more
from cnnsweep.folders.run_folder import RunFolder
from cnnsweep.metric_names import DIRECTIONS, duration
from cnnsweep.sweep.grid.numbering import SEED, names_of
from cnnsweep.sweep.grid.search import GridSearch
from cnnsweep.sweep.journal.theirs import ERROR
from cnnsweep.sweep.spec.formatting import PLUS_MINUS, format_mean

_SECONDS, _OBJECTIVE = "train_seconds", "objective"
_MOST_ROWS = 20
_WIDTH = 100  # where the output is no terminal


def outcome_lines(search: GridSearch) -> tuple[list[str], str | None]:
    """The last lines, and the line of the error where any job failed or none was completed."""
    latest = sorted(search.asker.latest().items())
    failed = [trial for _, trial in latest if trial.state is TrialState.FAIL]
    counts = search.counts()
    done, of = counts["done"], counts["of"]
    counted = f"{done} of {of} completed"
    lines = _table(search, [trial for _, trial in latest if trial not in failed])
    waiting = of - done - len(failed)
    if waiting > 0:
        counted += f", {waiting} not begun: hydra.sweeper.timeout was over"
    if not failed:
        return [*lines, counted], None
    by_error: dict[str, list[str]] = defaultdict(list)
    for trial in failed:
        by_error[str(trial.user_attrs.get(ERROR))].append(search.plan.label(trial))
    key = "resume" if search.plan.is_ours else "hydra.sweep.dir"
    said = [f"{and_more(names)}: {error}" for error, names in by_error.items()]
    return lines, (
        f"{counted}, {len(failed)} failed: {and_more(said, most=3)}; the same command with "
        f"{key}={RunFolder(search.plan.folder)} tries them again"
    )


def _table(search: GridSearch, trials: Sequence[FrozenTrial]) -> list[str]:
    """The outcomes by setting, best first; seeds are repeats."""
    results = {
        trial.number: result
        for trial in trials
        if (result := RunFolder(search.plan.place(trial)).read_result()) is not None
    }
    if not results:
        return []
    rows: dict[tuple[str, ...], list[Mapping[str, Any]]] = defaultdict(list)
    keys = [key for key in names_of(job for job, _ in search.asker.jobs) if key != SEED]
    for trial in trials:
        if trial.number in results:
            params = search.plan.params(trial)
            rows[tuple(str(params.get(key, "–")) for key in keys)].append(results[trial.number])
    metrics = [m for m in _metrics(search) if any(r.get(m) is not None for r in results.values())]
    table = Table(box=None, pad_edge=False)
    for key in keys:
        table.add_column(Text(key))
    headings = [f"{m}, mean" for m in metrics] if len(results) > len(rows) else metrics
    for heading in ("runs", *headings, "time a run"):
        table.add_column(heading, justify="right")
    ordered = sorted(rows.items(), key=lambda row: _rank(row[1], metrics))
    for values, found in ordered[:_MOST_ROWS]:
        cells = [str(len(found)), *(_spread(found, m) for m in metrics), _time(found)]
        table.add_row(*map(Text, (*values, *cells)))
    console = Console(file=StringIO(), width=_WIDTH, highlight=False, markup=False, emoji=False)
    console.print(table)
    assert isinstance(console.file, StringIO)
    lines = [line.rstrip() for line in console.file.getvalue().splitlines()]
    more = len(ordered) - _MOST_ROWS
    lines += [f"… and {more} more in the report"] if more > 0 else []
    has_interval = any("±" in line for line in lines)
    return lines + ([PLUS_MINUS] if has_interval else [])


def _metrics(search: GridSearch) -> list[str]:
    named = [name for name in search.plan.objectives if name in DIRECTIONS]
    usual = ["val_accuracy", "test_accuracy"] if search.plan.is_ours else [_OBJECTIVE]
    return list(dict.fromkeys([*named, *usual]))


def _rank(found: Sequence[Mapping[str, Any]], metrics: Sequence[str]) -> float:
    values: list[float] = [
        r[metrics[0]] for r in found if metrics and r.get(metrics[0]) is not None
    ]
    if not values:
        return float("inf")
    way = DIRECTIONS.get(metrics[0])  # another app's objective has none: its jobs stay in order
    return 0.0 if way is None else -mean(values) if way == "maximize" else mean(values)


def _spread(found: Sequence[Mapping[str, Any]], metric: str) -> str:
    values = [result[metric] for result in found if result.get(metric) is not None]
    return format_mean(values) if values else "–"


def _time(found: Sequence[Mapping[str, Any]]) -> str:
    known = [r[_SECONDS] for r in found if r.get(_SECONDS) is not None]  # not of another app
    return duration(mean(known)) if known else "–"
