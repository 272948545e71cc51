"""The best of k random trials, and of so many seconds of them, with confidence bands."""

from collections.abc import Iterator

import numpy as np

from cnnsweep.report.answer.analysis import Answer
from cnnsweep.report.answer.curves.tuning_band import Band
from cnnsweep.report.answer.curves.tuning_curves import TuningCurve
from cnnsweep.report.charts.chart_model import XY, Chart, Colors, Series

_MOST_CURVES = 8
_HOLDS = "The band is a 95 % confidence band that holds for the whole curve at once, of each by "
_HOLDS += "itself; it ends at the number of trials drawn: "


def tuning_curves(answer: Answer, colors: Colors) -> Iterator[Chart]:
    """Two charts; none where no search has independent trials."""
    every = answer.tuning.curves
    alike = [c for c in every if (c.metric, c.kind) == (every[0].metric, every[0].kind)]
    shown = alike[:_MOST_CURVES]
    if not shown:
        return
    kind, metric = shown[0].kind, shown[0].metric
    y_title = f"{kind} best {metric.title}"
    caption = _HOLDS + ", ".join(f"{c.label} {len(c.trials.values):,}" for c in shown) + "."
    if len(every) > len(shown):
        caption += f" {len(shown)} of {len(every)} searches."
    meaning = "mean over" if kind == "expected" else "value that half exceed of"
    best = f"Best {metric.name} of k random trials, the {meaning} all searches of this size."
    paid = f"Best {metric.name} of as many random trials as the seconds of training pay for at a "
    paid += "trial's mean cost, whose uncertainty is in the band."
    yield XY(
        "tuning-trials", f"Tuning curves: {kind} best of k random trials", f"{best} {caption}",
        "number of trials", y_title, [s for c in shown for s in _lines(c, c.main, colors)],
        x_log=True,
    )  # fmt: skip
    yield XY(
        "tuning-seconds", f"Tuning curves: {kind} best by seconds of training", f"{paid} {caption}",
        "seconds of training", y_title,
        [s for c in shown for s in _lines(c, c.by_seconds, colors)],
        x_log=all(c.trials.mean_seconds > 0 for c in shown),
    )  # fmt: skip


def _lines(curve: TuningCurve, band: Band, colors: Colors) -> Iterator[Series]:
    """The curve with its band; where an end of the band is infinite, the curve alone."""
    scale, color = curve.metric.scale, colors[curve.label]
    known = np.isfinite(band.low) & np.isfinite(band.high)
    x, y = band.budget, scale * band.point
    if not known.all():
        yield Series(curve.label, x.tolist(), y.tolist(), "line", color, in_legend=False)
    low, high = (scale * ends[known] for ends in (band.low, band.high))
    yield Series(
        curve.label, x[known].tolist(), y[known].tolist(), "line", color, low=low.tolist(),
        high=high.tolist(),
    )  # fmt: skip
