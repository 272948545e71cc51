"""Everything that a report states, computed once for the terminal, the files and the page."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from cnnsweep.report.answer.best_settings import best_settings
from cnnsweep.report.answer.conclusions import verdicts
from cnnsweep.report.answer.cost import Cost, cost
from cnnsweep.report.answer.find_winners import winners
from cnnsweep.report.answer.first import First, first
from cnnsweep.report.answer.ranking import Ranking, rankings
from cnnsweep.report.answer.winners import Winner
from cnnsweep.report.read.load_runs import Gathered
from cnnsweep.report.read.predictions import PredictionFiles
from cnnsweep.report.read.run_record import Run
from cnnsweep.report.stats.comparison import MOST_GROUPS, Comparison, compare
from cnnsweep.report.stats.group_keys import like_keys
from cnnsweep.report.stats.grouping import (
    Grouping,
    by_settings,
    group_runs,
    stratum_of,
)
from cnnsweep.report.stats.intervals import Interval, bootstrap_interval, t_interval
from cnnsweep.report.stats.learned import recall_learned
from cnnsweep.report.stats.metric import Metric, choose_metric
from cnnsweep.report.stats.options import Question
from cnnsweep.report.stats.table import check_column, select

_MOST_SETTINGS = 2  # keys that groups are named after besides the model, unless asked for
INTERVALS: dict[str, Callable[[Sequence[float]], Interval | None]] = {
    "t": t_interval,
    "bootstrap": bootstrap_interval,
}


@dataclass(slots=True)
class Answer:
    """The runs that were asked for, and everything said about them."""

    question: Question
    gathered: Gathered  # its runs are the selected ones
    metric: Metric
    grouping: Grouping
    comparison: Comparison
    first: First
    verdicts: list[str]
    winners: list[Winner]
    rankings: list[Ranking]
    cost: Cost
    files: PredictionFiles
    notes: list[str]

    @property
    def runs(self) -> list[Run]:
        """The selected runs, in the order of their paths."""
        return self.gathered.runs

    def best(self) -> list[tuple[str, list[Run]]]:
        """The best completed runs by stratum: its name and up to ``top`` runs."""
        done = [r for r in self.runs if r.status == "completed"]
        scored = [(value, r) for r in done if (value := r.metric(self.metric.name)) is not None]
        scored.sort(key=lambda pair: -self.metric.sign() * pair[0])
        like = like_keys([run for _, run in scored], self.question.by) if scored else []
        strata: dict[str, list[Run]] = {}
        for _, run in scored:
            members = strata.setdefault(stratum_of(run, like), [])
            if len(members) < self.question.top:
                members.append(run)
        return sorted(strata.items())


def answer(gathered: Gathered, question: Question) -> Answer:
    """Select, average, compare.

    Raises:
        UserError: a column, metric, condition or baseline that does not exist.
    """
    runs = select(gathered.runs, question.where) if question.where else gathered.runs
    for key in question.by:
        check_column(runs, key, "column in --by")
    metric = choose_metric(runs, question.metric)
    files = PredictionFiles(gathered.problems)
    recall_learned(runs, files)
    grouping = _grouped(runs, metric, question)
    question = replace(question, by=tuple(grouping.by))
    comparison = compare(grouping, metric, question.baseline, files)
    chosen = {id(run) for run in runs}
    members = [(sweep, [r for r in sweep.runs if id(r) in chosen]) for sweep in gathered.sweeps]
    sweeps = [replace(sweep, runs=own) for sweep, own in members if own]
    told = verdicts(grouping, comparison, metric) if grouping.groups else [_nothing(runs, metric)]
    best = winners(sweeps, runs)
    ranked = rankings(best)
    grids = best_settings(sweeps)
    return Answer(
        question,
        Gathered(gathered.roots, runs, sweeps, gathered.problems),
        metric,
        grouping,
        comparison,
        first(runs, metric, best, ranked, grids, told, comparison, grouping),
        told,
        best,
        ranked,
        cost(runs),
        files,
        grouping.notes + comparison.notes + _other_apps(runs),
    )


def _grouped(runs: Sequence[Run], metric: Metric, question: Question) -> Grouping:
    """By what was asked for; else by model, and by its settings where several seeds repeat each."""
    interval = INTERVALS[question.interval]
    grouping = group_runs(runs, metric, list(question.by) or ["model"], interval)
    settings = by_settings(grouping)
    if question.by or not 0 < len(settings) - len(grouping.by) <= _MOST_SETTINGS:
        return grouping
    finer = group_runs(runs, metric, settings, interval)
    is_repeated = all(group.n > 1 and not group.mixes for group in finer.groups)
    return finer if is_repeated and len(finer.groups) <= MOST_GROUPS else grouping


def _nothing(runs: Sequence[Run], metric: Metric) -> str:
    return (
        f"none of the {len(runs)} runs is completed with a {metric.name}: nothing to compare yet."
    )


def _other_apps(runs: Sequence[Run]) -> list[str]:
    others = sum(not run.ours for run in runs)
    note = (
        f"{others} runs are another Hydra app's, which records no outcome: those with metrics "
        "count as completed."
    )
    return [note] if others else []
