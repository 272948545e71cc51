"""Everything that a report states, computed once for the terminal, the files and the page."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from cnnsweep.errors import and_more
from cnnsweep.report.answer.beforehand import limits
from cnnsweep.report.answer.calibration import Calibration, calibration
from cnnsweep.report.answer.conclusions import verdicts
from cnnsweep.report.answer.cost import Cost, cost
from cnnsweep.report.answer.curves.equal_compute import EqualCompute, equal_compute
from cnnsweep.report.answer.curves.tuning_curves import Tuning, tuning
from cnnsweep.report.answer.image_noise import ImageNoise, image_noise
from cnnsweep.report.answer.search_luck import SearchLuck, search_luck
from cnnsweep.report.answer.winning.best_settings import best_settings
from cnnsweep.report.answer.winning.find_winners import winners
from cnnsweep.report.answer.winning.first import First, first
from cnnsweep.report.answer.winning.ranking import Ranking, rankings
from cnnsweep.report.answer.winning.winners import Winner
from cnnsweep.report.read.load_runs import Gathered
from cnnsweep.report.read.predictions import PredictionFiles
from cnnsweep.report.read.run_record import FORMER, Run
from cnnsweep.report.stats.choose_groups import grouped
from cnnsweep.report.stats.comparison import Comparison, compare
from cnnsweep.report.stats.group_keys import like_keys
from cnnsweep.report.stats.grouping import Grouping, stratum_of
from cnnsweep.report.stats.intervals import Interval, bootstrap_interval, t_interval
from cnnsweep.report.stats.learned import recall_learned
from cnnsweep.report.stats.metric import Metric, choose_metric
from cnnsweep.report.stats.options import Question
from cnnsweep.report.stats.table import select

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
    luck: SearchLuck
    noise: ImageNoise
    winners: list[Winner]
    rankings: list[Ranking]
    cost: Cost
    tuning: Tuning
    equal_compute: list[EqualCompute]
    calibration: list[Calibration]
    files: PredictionFiles
    notes: list[str]

    @property
    def runs(self) -> list[Run]:
        """The selected runs, in the order of their paths."""
        return self.gathered.runs

    def best(self) -> list[tuple[str, list[Run]]]:
        """The best completed runs by stratum: its name and up to ``top`` runs."""
        done = [r for r in self.runs if r.status == "completed" and r.role != FORMER]
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
    every = select(gathered.runs, question.where) if question.where else gathered.runs
    runs = [run for run in every if run.role != FORMER]
    metric = choose_metric(runs, question.metric)
    files = PredictionFiles(gathered.problems)
    recall_learned(runs, files)
    grouping = grouped(runs, metric, question, INTERVALS[question.interval])
    question = replace(question, by=tuple(grouping.by))
    margin = None if question.margin is None else question.margin / metric.scale
    comparison = compare(grouping, metric, question.baseline, files, margin)
    chosen = {id(run) for run in runs}
    members = [(sweep, [r for r in sweep.runs if id(r) in chosen]) for sweep in gathered.sweeps]
    searches = [sweep for sweep, own in members if own]  # whole: a selection would flatter them
    sweeps = [replace(sweep, runs=own) for sweep, own in members if own]
    told = verdicts(grouping, comparison, metric) if grouping.groups else [_nothing(runs, metric)]
    best = winners(sweeps, runs)
    ranked = rankings(best)
    grids = best_settings(sweeps)
    limiting = limits(sweeps, best)
    return Answer(
        question=question,
        gathered=Gathered(gathered.roots, every, sweeps, gathered.problems),
        metric=metric,
        grouping=grouping,
        comparison=comparison,
        first=first(runs, metric, best, ranked, grids, told, comparison, grouping, limiting),
        verdicts=told,
        luck=search_luck(grouping, comparison),
        noise=image_noise(grouping, comparison, metric, files),
        winners=best,
        rankings=ranked,
        cost=cost(every),
        tuning=tuning(searches),
        equal_compute=equal_compute(searches, grouping),
        calibration=calibration(grouping, files),
        files=files,
        notes=grouping.notes + comparison.notes + _left_out(every, metric) + _other_apps(runs),
    )


def _a(name: str) -> str:
    return f"{'an' if name[0] in 'aeiou' else 'a'} {name}"


def _nothing(runs: Sequence[Run], metric: Metric) -> str:
    return (
        f"none of the {len(runs)} runs is completed with {_a(metric.name)}: nothing to compare yet."
    )


def _left_out(runs: Sequence[Run], metric: Metric) -> list[str]:
    """What is in the table of runs only."""
    former = sum(run.role == FORMER for run in runs)
    done = [run for run in runs if run.status == "completed" and run.role not in (FORMER, "search")]
    lacking = [str(run.folder) for run in done if run.metric(metric.name) is None]
    notes = []
    if former:
        notes.append(
            f"{former} runs confirmed an earlier winner of their search: they are neither trials "
            "nor confirmations of the winner, and count nowhere."
        )
    if lacking:
        notes.append(
            f"{len(lacking)} completed runs have no {metric.name} and are in no group: "
            f"{and_more(lacking, 3)}."
        )
    return notes


def _other_apps(runs: Sequence[Run]) -> list[str]:
    others = sum(not run.ours and not run.told for run in runs)
    note = (
        f"{others} runs are another Hydra app's, which records no outcome: those with metrics "
        "count as completed."
    )
    return [note] if others else []
