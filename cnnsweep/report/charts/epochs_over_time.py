"""Which trial of a search trained when: begun, paused, thawed."""

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import accumulate

import numpy as np

from cnnsweep.folders.run_folder import PAUSED
from cnnsweep.report.charts.chart_model import FIFTHS, GREY, XY, Chart, Series, count
from cnnsweep.report.read.epoch_times import epoch_ends
from cnnsweep.report.read.run_record import Run, finite
from cnnsweep.report.stats.trial_table import Tried

_MOST_TRIALS = 200
_LONG = 120  # seconds, above which minutes are shown


@dataclass(frozen=True, slots=True)
class _Epoch:
    """An epoch of a run; ``start`` and ``end`` in seconds since 1970 by the clock of its log."""

    run: Run
    number: int
    start: float
    end: float
    value: float


def epochs_over_time(one: Tried) -> Iterator[Chart]:
    """A row a trial, a bar an epoch; nothing where fewer than two trials tell the time."""
    every = [run for run in one.sweep.runs if run.role == "search" and run.trial is not None]
    own = _longest(every)
    epochs = [epoch for run in own for epoch in _epochs(one, run)]
    known = {epoch.run.trial for epoch in epochs}
    if not one.sweep.searched or len(known) < 2:
        return
    clock, all_trials = _Clock(epochs), len({run.trial for run in every})
    unit = "minutes" if clock.seconds > _LONG else "seconds"
    caption = f"Each bar is an epoch of a trial, coloured by {one.metric.name} after it; time in "
    caption += "which no trial was in training is left out. A ring is where a trial is paused. "
    if one.sweep.stacked:
        caption += "Of an epoch that several trained together a bar is a trial's share. "
    own = [run for run in own if run.trial in known]
    caption += f"{_counted(epochs, own)} in {count(len(known), 'trial')}: {_ends(own)}."
    if len(known) < all_trials:
        caption += f" Of {all_trials:,} trials these have most epochs, and tell the time."
    yield XY(
        f"epochs-{one.label}", f"Epochs of each trial over time: {one.label}", caption,
        f"{unit} of training", "trial",
        [*_waits(epochs, clock), *_bars(one, epochs, clock), *_marks(epochs, clock)],
    )  # fmt: skip


def _epochs(one: Tried, run: Run) -> Iterator[_Epoch]:
    values = run.metrics.get(one.metric.name, [])
    seconds = run.metrics.get("train_seconds", [])
    ends = epoch_ends(run.folder)
    for index, (value, spent) in enumerate(zip(values, seconds, strict=False)):
        end, known, length = ends.get(index + 1), finite(value), finite(spent)
        if end is not None and known is not None and length is not None:
            start = (end - timedelta(seconds=max(0.0, min(length, 1e7)))).timestamp()
            yield _Epoch(run, index + 1, start, end.timestamp(), known)


class _Clock:
    """The time in which some trial was in training, from the first epoch's start on."""

    def __init__(self, epochs: Sequence[_Epoch]) -> None:
        self._starts: list[float] = []
        lengths: list[float] = []
        reached = -np.inf
        for epoch in sorted(epochs, key=lambda epoch: epoch.start):
            if epoch.start > reached:
                self._starts.append(epoch.start)
                lengths.append(0.0)
            more = max(epoch.end, reached) - max(epoch.start, reached)
            lengths[-1] += max(0.0, more)
            reached = max(reached, epoch.end)
        self._before = list(accumulate(lengths, initial=0.0))
        self.seconds = self._before[-1]

    def shown(self, moment: float, *, is_end: bool) -> float:
        """A moment as it is drawn; where two spans meet, an end belongs to the former."""
        span = bisect_right(self._starts, moment) - 1
        if is_end and span > 0 and moment == self._starts[span]:
            span -= 1
        passed = min(moment - self._starts[span], self._before[span + 1] - self._before[span])
        return (self._before[span] + passed) / (60 if self.seconds > _LONG else 1)


def _longest(runs: Sequence[Run]) -> list[Run]:
    """The runs of the trials that are shown, for each of which a log is read."""
    epochs: Counter[int] = Counter()
    for run in runs:
        epochs[run.trial or 0] += run.epochs_done
    kept = {trial for trial, _ in epochs.most_common(_MOST_TRIALS)}
    return [run for run in runs if run.trial in kept]


def _waits(epochs: Sequence[_Epoch], clock: _Clock) -> Iterator[Series]:
    """A thin line from each trial's first epoch to its last: where no bar lies on it, it waits."""
    xs: list[float | None] = []
    ys: list[float | None] = []
    for trial in dict.fromkeys(epoch.run.trial for epoch in epochs):
        own = [epoch for epoch in epochs if epoch.run.trial == trial]
        first, last = min(epoch.start for epoch in own), max(epoch.end for epoch in own)
        xs += [clock.shown(first, is_end=False), clock.shown(last, is_end=True), None]
        ys += [_row(own[0]), _row(own[0]), None]
    yield Series("waits", xs, ys, "line", GREY, faint=True, in_legend=False)


def _bars(one: Tried, epochs: Sequence[_Epoch], clock: _Clock) -> Iterator[Series]:
    order = np.argsort([one.metric.sign() * epoch.value for epoch in epochs], kind="stable")
    for (name, color), part in zip(FIFTHS, np.array_split(order, len(FIFTHS)), strict=True):
        xs: list[float | None] = []
        ys: list[float | None] = []
        hover: list[str] = []
        for epoch in (epochs[i] for i in sorted(part)):
            ends = clock.shown(epoch.start, is_end=False), clock.shown(epoch.end, is_end=True)
            xs += [*ends, None]
            ys += [_row(epoch), _row(epoch), None]
            value = one.metric.show(epoch.value)
            hover += [f"trial {epoch.run.trial}, epoch {epoch.number}: {value}"] * 3
        if xs:
            yield Series(name, xs, ys, "line", color, big=True, hover=hover)


def _marks(epochs: Sequence[_Epoch], clock: _Clock) -> Iterator[Series]:
    """Where trials ended, or wait."""
    last = {str(epoch.run.folder): epoch for epoch in epochs}
    for status in ("completed", PAUSED, "pruned"):
        own = [epoch for epoch in last.values() if epoch.run.status == status]
        if own:
            yield Series(
                status, [clock.shown(epoch.end, is_end=True) for epoch in own], [*map(_row, own)],
                "points", GREY, ring=status == PAUSED, cross=status == "pruned",
                hover=[f"trial {e.run.trial}, {status} after epoch {e.number}" for e in own],
            )  # fmt: skip


def _row(epoch: _Epoch) -> float:
    return float(epoch.run.trial or 0)


def _counted(epochs: Sequence[_Epoch], runs: Sequence[Run]) -> str:
    """``48 of 144 epochs``; without the latter where it isn't known."""
    planned = [run.epochs_planned for run in runs]
    whole = sum(int(number) for number in planned if number is not None)
    of = f" of {whole:,}" if whole >= len(epochs) and None not in planned else ""
    return f"{len(epochs):,}{of} epochs"


def _ends(runs: Sequence[Run]) -> str:
    """How many trials became what; of several seeds the last run's status counts."""
    statuses = list({run.trial: run.status for run in runs}.values())
    return ", ".join(f"{statuses.count(word)} {word}" for word in dict.fromkeys(sorted(statuses)))
