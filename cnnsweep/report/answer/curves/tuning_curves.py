"""How good the best of so many trials is: tuning curves of searches with independent trials."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import fmean

from cnnsweep.folders.run_folder import PAUSED
from cnnsweep.metric_names import duration
from cnnsweep.report.answer.block import Block
from cnnsweep.report.answer.curves.tuning_band import Band, Curve, Trials, over_seconds, over_trials
from cnnsweep.report.answer.searches import Searched, searched, trials_of
from cnnsweep.report.read.given_trials import given_trials
from cnnsweep.report.read.run_record import Run, finite
from cnnsweep.report.read.sweeps import Sweep
from cnnsweep.report.stats.metric import Metric

_FEWEST = 3  # trials
_INDEPENDENT, _COMPLETE = "RandomSampler", "NopPruner"
_OVER = ("completed", "failed")
_DETAILS = (
    "(…) is a 95 % band (opda; Lourie, Cho and He 2024) that holds for all numbers of trials at "
    "once, of each search by itself, for the seed and split that its trials have in common. "
    "Expected best: the mean over all searches of this size (Dodge et al. 2019). Median best: half "
    "of them find better."
)


@dataclass(frozen=True, slots=True)
class TuningCurve:
    """One architecture's independent trials, and what the best of some of them comes to.

    ``expected`` is None for a metric without bounds: only the median has a band then.
    """

    label: str
    metric: Metric
    trials: Trials
    failed: int
    searches: int
    expected: Band | None
    median: Band
    by_seconds: Band  # of the expected best where that is known, else of the median

    @property
    def main(self) -> Band:
        """The curve over trials that is drawn."""
        return self.expected or self.median

    @property
    def kind(self) -> Curve:
        """What ``main`` and ``by_seconds`` are."""
        return "median" if self.expected is None else "expected"


@dataclass(frozen=True, slots=True)
class Tuning:
    """Curves of the searches that can have one; of the others, a sentence for each reason."""

    curves: list[TuningCurve]
    reasons: list[str]


def tuning(sweeps: Sequence[Sweep]) -> Tuning:
    """The tuning curves of all searches; needs all their trials, not a selection."""
    curves: list[TuningCurve] = []
    without: dict[str, list[str]] = defaultdict(list)
    for one in searched(sweeps):
        found = _curve(one)
        if isinstance(found, TuningCurve):
            curves.append(found)
        else:
            without[found].append(one.name)
    reasons = [
        f"No tuning curve with a band for {', '.join(names)}: {reason}."
        for reason, names in without.items()
    ]
    return Tuning(curves, reasons)


def _curve(one: Searched) -> TuningCurve | str:
    """The curve, or why there is none."""
    why = _how_it_drew(one.sweeps)
    if why or one.objective is None:
        return why or "no trial has a value of one objective"
    drawn = [trial for sweep in one.sweeps for trial in _drawn(sweep)]
    why = _unfit(drawn, one.objective)
    if why:
        return why
    worst = 0.0  # a failed trial cost time and gave nothing; only accuracies get here with one
    values = [_value(trial) for trial in drawn]
    seconds = [sum(_seconds(run) for run in trial) for trial in drawn]
    known = [worst if value is None else value for value in values]
    metric = one.objective
    trials = Trials(known, seconds, metric.maximize, metric.percent)
    expected = over_trials(trials, "expected") if metric.percent else None
    return TuningCurve(
        label=one.name,
        metric=metric,
        trials=trials,
        failed=values.count(None),
        searches=len(one.sweeps),
        expected=expected,
        median=over_trials(trials, "median"),
        by_seconds=over_seconds(trials, "median" if expected is None else "expected"),
    )


def _how_it_drew(sweeps: Sequence[Sweep]) -> str:
    """Why trials aren't independent and complete; empty where they are."""
    samplers = {sweep.sampler for sweep in sweeps} - {_INDEPENDENT}
    pruners = {sweep.pruner for sweep in sweeps} - {_COMPLETE}
    if not samplers and not pruners:
        return ""
    if "" in samplers | pruners:
        return "how its trials were chosen is not recorded"
    said = [f"chosen by {name.removesuffix('Sampler')}" for name in sorted(samplers)]
    said += [f"ended early or paused by {name.removesuffix('Pruner')}" for name in sorted(pruners)]
    is_ours = all(run.ours for sweep in sweeps for run in sweep.runs)
    how = "; search=tuning_curve draws independent ones" if is_ours else ""  # a group of ours
    return f"trials were {' and '.join(said)}{how}"


def _drawn(sweep: Sweep) -> list[list[Run]]:
    given = given_trials(sweep)
    return [trial for trial in trials_of(sweep) if trial[0].trial not in given]


def _unfit(drawn: Sequence[Sequence[Run]], metric: Metric) -> str:
    """Why the drawn trials give no curve; empty where they do."""
    statuses = [run.status for trial in drawn for run in trial]
    early = sum(status in ("pruned", PAUSED) for status in statuses)
    waiting = sum(status not in (*_OVER, "pruned", PAUSED) for status in statuses)
    failed = sum(status == "failed" for status in statuses)
    if waiting:
        return f"{waiting} of {len(statuses)} runs of its trials are not over, or cannot be read"
    if early:
        return f"{early} of {len(statuses)} runs of its trials ended early or are paused"
    if failed and not metric.percent:
        return f"{failed} of {len(statuses)} runs failed, and {metric.name} has no worst value"
    return f"fewer than {_FEWEST} trials were drawn" if len(drawn) < _FEWEST else ""


def _value(trial: Sequence[Run]) -> float | None:
    """The mean over a trial's seeds; None where one of them failed."""
    values = [run.metric("objective") for run in trial if run.status == "completed"]
    known = [value for value in values if value is not None]
    return fmean(known) if len(known) == len(trial) else None


def _seconds(run: Run) -> float:
    return max(finite(run.result.get("train_seconds")) or 0.0, 0.0)


def tuning_blocks(tuning: Tuning) -> Iterator[Block]:
    """The answer in sentences, then all numbers as a detail."""
    sentences = [*_comparison(tuning.curves), *tuning.reasons]
    if sentences:
        yield Block("Tuning curves", sentences)
    if tuning.curves:
        columns = ("search", "trials", "training", "expected best", "median best")
        rows = [row for curve in tuning.curves for row in _rows(curve)]
        title = "Tuning curves: best after so many trials"
        yield Block(title, columns=columns, rows=rows, caption=_caption(tuning), is_detail=True)


def _comparison(curves: Sequence[TuningCurve]) -> Iterator[str]:
    """All curves of a metric at one number of trials, at most half of the shortest's."""
    for metric in dict.fromkeys(curve.metric for curve in curves):
        alike = [curve for curve in curves if curve.metric == metric]
        k = _powers(max(1, min(len(curve.trials.values) for curve in alike) // 2))[-1]
        alike.sort(key=lambda curve: -metric.sign() * _at(curve, k)[1])
        told = ", ".join(f"{curve.label} {_shown(metric, _at(curve, k))}" for curve in alike)
        trials = f"{k} random trials" if k > 1 else "one random trial"
        start = f"{alike[0].kind.capitalize()} best {metric.name} of {trials}"
        yield f"{start}: {told}; (…) is a 95 % band."


def _powers(n: int) -> list[int]:
    return [2**power for power in range(n.bit_length())]


def _at(curve: TuningCurve, k: int) -> tuple[float, float, float]:
    return _first(over_trials(curve.trials, curve.kind, [k]))


def _first(band: Band) -> tuple[float, float, float]:
    return float(band.low[0]), float(band.point[0]), float(band.high[0])


def _rows(curve: TuningCurve) -> Iterator[list[str]]:
    for k in _powers(len(curve.trials.values)):
        median = _first(over_trials(curve.trials, "median", [k]))
        expected = "–" if curve.expected is None else _shown(curve.metric, _at(curve, k))
        cost = duration(k * curve.trials.mean_seconds)
        yield [curve.label, f"{k:,}", cost, expected, _shown(curve.metric, median)]


def _shown(metric: Metric, span: tuple[float, float, float]) -> str:
    """``97.10 % (95.20 to 98.30 %)``; an end that nothing bounds is a dash."""
    low, point, high = (metric.show(finite(value)) for value in span)
    return f"{point} ({low.removesuffix(' %')} to {high})"


def _caption(tuning: Tuning) -> str:
    drawn = ", ".join(
        f"{curve.label} {len(curve.trials.values)}"
        + (f" in {curve.searches} searches" if curve.searches > 1 else "")
        + (f" ({curve.failed} failed, which count as 0 %)" if curve.failed else "")
        for curve in tuning.curves
    )
    return (
        f"{_DETAILS} Training: that many trials at their mean cost. Drawn trials: {drawn}; those "
        "whose settings were given, such as the default config, are left out."
    )
