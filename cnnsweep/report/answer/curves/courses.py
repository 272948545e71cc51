"""The best validation value so far against the training seconds spent, and who leads when."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise

import numpy as np
import numpy.typing as npt

from cnnsweep.folders.run_folder import PAUSED
from cnnsweep.report.read.epoch_times import epoch_ends
from cnnsweep.report.read.run_record import Run, finite
from cnnsweep.report.stats.intervals import ALPHA, FEWEST, t_interval
from cnnsweep.report.stats.metric import Metric
from cnnsweep.report.stats.share_interval import newcombe
from cnnsweep.report.stats.significance import welch_t

_PAUSES = "FreezeThaw"  # the pruner after which trials' epochs take turns
_MOST_LOGS = 400  # of a search, read for the order of its epochs
_BUDGETS = 200
_LASTING = 1.1  # times its beginning: a lead that ends before is told with the one before it
Array = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Course:
    """One search, or one run: seconds spent after each of its epochs, and the best value by then.

    ``best`` is nan as long as there is no value.
    """

    seconds: Array
    best: Array

    def at(self, budgets: Array) -> Array:
        """The best value once so many seconds are spent; nan before the first."""
        place = np.searchsorted(self.seconds, budgets, side="right")
        found: Array = np.concatenate([[np.nan], self.best])[place]
        return found


@dataclass(frozen=True, slots=True)
class Contender:
    """Courses of one thing; ``images``: validation images that its values rest on."""

    label: str
    courses: list[Course]
    images: int | None

    @property
    def seconds(self) -> float:
        """What a course spent in all, on average."""
        return float(np.mean([course.seconds[-1] for course in self.courses]))


@dataclass(frozen=True, slots=True)
class Lead:
    """From ``start`` to ``end`` seconds these lead, best first; several are within noise.

    ``is_alone``: no other has a value by then.
    """

    start: float
    end: float
    leaders: list[str]
    is_alone: bool


@dataclass(frozen=True, slots=True)
class Race:
    """``values``: of each contender its courses' values at each budget (courses × budgets)."""

    contenders: list[Contender]
    budgets: Array
    values: list[Array]
    noise: str  # what a difference is held against: "courses", "images", or "" for nothing
    leads: list[Lead]

    def ends(self, number: int) -> tuple[Array, Array] | None:
        """The 95 % interval of a contender's mean at each budget; None below three courses."""
        table = self.values[number]
        if len(table) < FEWEST:
            return None
        spans = [t_interval(column.tolist()) or (np.nan, np.nan) for column in table.T]
        return np.array([low for low, _ in spans]), np.array([high for _, high in spans])


def course(epochs: Sequence[tuple[float, float | None]], metric: Metric) -> Course | None:
    """From seconds and value of each epoch in their order; None where nothing is known."""
    if not any(value is not None for _, value in epochs):
        return None
    seconds = np.cumsum([max(spent, 0.0) for spent, _ in epochs])
    values = [np.nan if value is None else metric.sign() * value for _, value in epochs]
    best = metric.sign() * np.fmax.accumulate(np.array(values))
    return Course(seconds, best) if seconds[-1] > 0 else None


def course_of_run(run: Run, metric: Metric) -> Course | None:
    """A single run's."""
    return course(_epochs([run], metric), metric)


def course_of_search(trials: Sequence[Sequence[Run]], pruner: str, metric: Metric) -> Course | None:
    """As one worker would have spent the time: epoch by epoch where trials took turns …

    … (by the time stamps of their logs), else trial by trial. Of a trial's seeds, epochs count
    together: the sum of their seconds, the mean of their values.
    """
    rows = [_epochs(trial, metric) for trial in trials]
    takes_turns = pruner == _PAUSES or any(r.status == PAUSED for trial in trials for r in trial)
    if takes_turns and sum(map(len, trials)) <= _MOST_LOGS:
        stamps = [_ends(trial, len(own)) for trial, own in zip(trials, rows, strict=True)]
        if None not in stamps:
            known = [end for own in stamps if own is not None for end in own]
            flat = [row for own in rows for row in own]
            order = sorted(range(len(flat)), key=lambda i: (known[i] - flat[i][0], i))
            return course([flat[i] for i in order], metric)
    return course([row for own in rows for row in own], metric)


def _epochs(trial: Sequence[Run], metric: Metric) -> list[tuple[float, float | None]]:
    """Seconds and value of each epoch of a trial."""
    rows = []
    columns = [(r.metrics.get("train_seconds", []), r.metrics.get(metric.name, [])) for r in trial]
    for epoch in range(max((len(spent) for spent, _ in columns), default=0)):
        spent = [finite(own[epoch]) or 0.0 for own, _ in columns if epoch < len(own)]
        found = [finite(own[epoch]) for _, own in columns if epoch < len(own)]
        known = [value for value in found if value is not None]
        rows.append((sum(spent), sum(known) / len(known) if known else None))
    return rows


def _ends(trial: Sequence[Run], epochs: int) -> list[float] | None:
    """When each epoch of a trial ended; None where a log does not say."""
    logs = [epoch_ends(run.folder) for run in trial]
    ends = [[log[n].timestamp() for log in logs if n in log] for n in range(1, epochs + 1)]
    return [max(own) for own in ends] if all(ends) else None


def race(contenders: Sequence[Contender], metric: Metric) -> Race | None:
    """Who leads at which budget, up to the mean cost of the one that spent least.

    None where no budget is left to compare at.
    """
    end = min(one.seconds for one in contenders)
    start = min(max(_first(course) for course in one.courses) for one in contenders)
    if not 0 < start < end:
        return None
    budgets = np.geomspace(start, end, _BUDGETS)
    values = [np.stack([course.at(budgets) for course in one.courses]) for one in contenders]
    noise = _noise(contenders, metric)
    ahead = [_ahead(contenders, table, noise, metric) for table in _columns(values)]
    is_alone = [sum(bool(np.isfinite(v.mean())) for v in t) == 1 for t in _columns(values)]
    leads = [*_leads(contenders, budgets, ahead, is_alone)]
    return Race([*contenders], budgets, values, noise, leads)


def _columns(values: Sequence[Array]) -> Iterator[list[Array]]:
    """At each budget the courses' values of every contender."""
    for column in range(values[0].shape[1]):
        yield [table[:, column] for table in values]


def _first(course: Course) -> float:
    return float(course.seconds[np.isfinite(course.best).argmax()])


def _noise(contenders: Sequence[Contender], metric: Metric) -> str:
    if all(len(one.courses) >= FEWEST for one in contenders):
        return "courses"
    return "images" if metric.percent and all(one.images for one in contenders) else ""


def _ahead(
    contenders: Sequence[Contender], here: Sequence[Array], noise: str, metric: Metric
) -> list[int]:
    """Numbers of the best at a budget and of those within noise of it, best first."""
    means = [metric.sign() * float(values.mean()) for values in here]
    known = [number for number, mean in enumerate(means) if np.isfinite(mean)]
    first, *others = sorted(known, key=lambda number: -means[number])
    return [first, *(i for i in others if _within(noise, contenders, here, first, i))]


def _leads(
    contenders: Sequence[Contender],
    budgets: Array,
    ahead: Sequence[list[int]],
    is_alone: Sequence[bool],
) -> Iterator[Lead]:
    """One after the other; those that do not last count to the one before, but for the last."""

    def kind(column: int) -> tuple[bool, list[int]]:
        return is_alone[column], sorted(ahead[column])

    starts: list[int] = []  # columns of the budgets
    for span in ([*own] for _, own in groupby(range(len(budgets)), key=kind)):
        until = budgets[min(span[-1] + 1, len(budgets) - 1)]
        lasts = until >= _LASTING * budgets[span[0]] or span[-1] == len(budgets) - 1
        if not starts or (lasts and kind(starts[-1]) != kind(span[0])):
            starts.append(span[0])
    for start, end in pairwise([*starts, len(budgets) - 1]):
        names = [contenders[number].label for number in ahead[start]]
        yield Lead(float(budgets[start]), float(budgets[end]), names, is_alone[start])


def _within(
    noise: str, contenders: Sequence[Contender], here: Sequence[Array], first: int, second: int
) -> bool:
    """Whether the 95 % interval of a difference has zero in it; equal values always are within."""
    if noise == "images":
        ours, theirs = ((float(here[i].mean()), contenders[i].images or 1) for i in (first, second))
        low, high = newcombe(ours, theirs, ALPHA)
        return low <= 0 <= high
    gap = abs(float(here[first].mean() - here[second].mean()))
    if noise == "courses":
        return gap <= (welch_t(here[first].tolist(), here[second].tolist()).half_width or 0.0)
    return gap == 0
