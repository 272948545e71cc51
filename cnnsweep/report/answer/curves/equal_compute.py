"""Who leads at which budget of training seconds: the best validation value so far at equal cost.

Searches are compared, as one worker would have spent the time; where there are not two of them, the
groups are, by the seconds within a run.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from cnnsweep.errors import and_more
from cnnsweep.metric_names import duration
from cnnsweep.report.answer.block import Block
from cnnsweep.report.answer.curves.courses import (
    Contender,
    Lead,
    Race,
    course_of_run,
    course_of_search,
    race,
)
from cnnsweep.report.answer.searches import Searched, searched, trials_of
from cnnsweep.report.read.run_files import split_sizes
from cnnsweep.report.read.run_record import Run
from cnnsweep.report.read.sweeps import Sweep
from cnnsweep.report.stats.grouping import Group, Grouping
from cnnsweep.report.stats.intervals import FEWEST
from cnnsweep.report.stats.metric import Metric, objective_of

_MOST_CONTENDERS = 8
_MOST_ROWS = 8
_MOST_LEADS = 6  # told one by one
_MOST_NAMED = 2  # of those that are within noise


@dataclass(frozen=True, slots=True)
class EqualCompute:
    """A comparison within one stratum; ``kind`` is what spends the seconds: search or run."""

    stratum: str
    kind: str
    metric: Metric
    race: Race
    devices: list[str]
    left_out: int  # contenders beyond the first few

    @property
    def where(self) -> str:
        """The stratum to append to a title."""
        return f" ({self.stratum})" if self.stratum else ""


def equal_compute(sweeps: Sequence[Sweep], grouping: Grouping) -> list[EqualCompute]:
    """A comparison for each stratum that has two searches of one objective, else two groups."""
    found = [one for one in map(_of_searches, _alike(sweeps)) if one is not None]
    return found or [one for one in map(_of_groups, grouping.strata().values()) if one is not None]


def _alike(sweeps: Sequence[Sweep]) -> list[list[Searched]]:
    alike: dict[tuple[str, Metric], list[Searched]] = defaultdict(list)
    for one in searched(sweeps):
        if one.objective is not None:
            alike[one.stratum, one.objective].append(one)
    return [several for several in alike.values() if len(several) > 1]


def _of_searches(several: list[Searched]) -> EqualCompute | None:
    metric = several[0].objective
    assert metric is not None
    contenders, runs = [], []
    for one in several:
        every = [(trials_of(sweep), sweep.pruner) for sweep in one.sweeps]
        own = [course_of_search(trials, pruner, metric) for trials, pruner in every]
        courses = [course for course in own if course is not None]
        members = [run for trials, _ in every for trial in trials for run in trial]
        if courses:
            contenders.append(Contender(one.label, courses, _images(members)))
            runs += members
    return _compared(several[0].stratum, "search", metric, contenders, runs)


def _of_groups(groups: list[Group]) -> EqualCompute | None:
    pure = [group for group in groups if not group.mixes]
    runs = [run for group in pure for run in group.runs]
    metric = objective_of(runs)
    if metric is None or not any(metric.name in run.metrics for run in runs):
        return None
    contenders = []
    for group in pure:
        own = [course_of_run(run, metric) for run in group.runs]
        courses = [course for course in own if course is not None]
        if courses:
            contenders.append(Contender(group.label, courses, _images(group.runs)))
    return _compared(groups[0].stratum, "run", metric, contenders, runs)


def _images(runs: Sequence[Run]) -> int | None:
    """By the first run that ended: all of a stratum have as many."""
    done = next((run for run in runs if run.status == "completed"), None)
    return None if done is None else split_sizes(done).validation


def _compared(
    stratum: str, kind: str, metric: Metric, contenders: list[Contender], runs: Sequence[Run]
) -> EqualCompute | None:
    shown = contenders[:_MOST_CONTENDERS]
    found = race(shown, metric) if len(shown) > 1 else None
    if found is None:
        return None
    devices = sorted({str(device) for run in runs if (device := run.result.get("device"))})
    return EqualCompute(stratum, kind, metric, found, devices, len(contenders) - len(shown))


def equal_compute_blocks(found: Sequence[EqualCompute]) -> Iterator[Block]:
    """For each stratum who leads when; the values at some budgets as a detail."""
    for one in found:
        title = f"At equal training time{one.where}"
        yield Block(title, [*_sentences(one)])
        columns = ["training", *(c.label for c in one.race.contenders), "ahead"]
        yield Block(
            f"{title}: best {one.metric.name} so far", columns=columns, rows=[*_rows(one)],
            caption=how(one), is_detail=True,
        )  # fmt: skip


def _sentences(one: EqualCompute) -> Iterator[str]:
    end = one.race.budgets[-1]
    shortest = min(one.race.contenders, key=lambda c: c.seconds).label
    spent = f"compared up to {duration(end)}, what a {one.kind} of {shortest} took"
    yield f"Best {one.metric.name} so far by seconds of {_spending(one)}: {_story(one)} ({spent})."
    if len(one.devices) > 1:
        yield f"Seconds are those of different devices ({', '.join(one.devices)})."


def _spending(one: EqualCompute) -> str:
    return "a whole search" if one.kind == "search" else "a run"


def _story(one: EqualCompute) -> str:
    told = one.race.leads
    if len(told) == 1:
        return f"{_who(told[0])} all the way to the end"
    last = f"from {duration(told[-1].start)} to the end {_who(told[-1])}"
    if len(told) > _MOST_LEADS:
        return f"it changes {len(told) - 1} times who leads; {last}"
    middle = [f"from {duration(t.start)} to {duration(t.end)} {_who(t)}" for t in told[1:-1]]
    return "; ".join([f"up to {duration(told[0].end)} {_who(told[0])}", *middle, last])


def _who(lead: Lead) -> str:
    if lead.is_alone:
        return f"only {lead.leaders[0]} has a value"
    if len(lead.leaders) == 1:
        return f"{lead.leaders[0]} leads"
    return f"{and_more(lead.leaders, most=_MOST_NAMED)} are within noise"


def _rows(one: EqualCompute) -> Iterator[list[str]]:
    budgets = one.race.budgets
    halves = budgets[-1] / 2.0 ** np.arange(_MOST_ROWS)[::-1]
    for budget in halves[halves >= budgets[0]]:
        column = int(np.searchsorted(budgets, budget * (1 + 1e-9), side="right")) - 1
        means = [float(table[:, column].mean()) for table in one.race.values]
        ahead = next(t for t in reversed(one.race.leads) if t.start <= budgets[column])
        shown = [one.metric.show(mean if np.isfinite(mean) else None) for mean in means]
        yield [duration(float(budget)), *shown, " = ".join(ahead.leaders)]


def how(one: EqualCompute) -> str:
    """How the seconds were spent, what the values are, and what counts as noise."""
    contenders = one.race.contenders
    counts = ", ".join(f"{c.label} {len(c.courses)}" for c in contenders)
    many = "searches" if one.kind == "search" else "runs"
    text = f"Mean over the {many} ({counts}) of the best {one.metric.name} so far, on validation. "
    if one.kind == "search":
        text += "Seconds are summed over the epochs of all trials in the order in which these "
        text += "began, as one worker would spend them. "
    if one.race.noise == "courses":
        text += "Within noise: less than half of Welch's 95 % interval of the difference over "
        text += f"the {many}"
    elif one.race.noise == "images":
        images = min(c.images or 0 for c in contenders)
        text += (
            f"Fewer than {FEWEST} {many} of each do not tell their spread; within noise is what "
        )
        text += "a difference whose 95 % interval, by "
        text += f"{images:,} validation images (Newcombe 1998), has zero in it"
    else:
        text += "What is noise isn't known, so only equal values count as within it"
    text += ", at each budget by itself."
    text += " What lasts less than a tenth of the time until then is told only at the end."
    if one.left_out:
        text += f" {len(contenders)} of {len(contenders) + one.left_out} are compared."
    return text
