"""The best validation value so far against training seconds, of searches or of runs."""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from cnnsweep.report.answer.analysis import Answer
from cnnsweep.report.answer.curves.equal_compute import EqualCompute, how
from cnnsweep.report.charts.chart_model import XY, Chart, Colors, Series
from cnnsweep.report.stats.intervals import FEWEST

_MOST_STRATA = 4


def best_by_seconds(answer: Answer, colors: Colors) -> Iterator[Chart]:
    """A chart for each stratum with something to compare."""
    for one in answer.equal_compute[:_MOST_STRATA]:
        several = any(len(contender.courses) >= FEWEST for contender in one.race.contenders)
        band = " The band is the 95 % interval of the mean." if several else ""
        title = f"Best so far at equal training time{one.where}"
        yield XY(
            f"best-by-seconds{one.where}", title, how(one) + band,
            f"seconds of training in a {one.kind}", f"best {one.metric.title} so far",
            [*_lines(one, colors)], x_log=True,
        )  # fmt: skip


def _lines(one: EqualCompute, colors: Colors) -> Iterator[Series]:
    scale = one.metric.scale
    for number, contender in enumerate(one.race.contenders):
        mean = scale * one.race.values[number].mean(axis=0)
        known = np.isfinite(mean)
        ends = one.race.ends(number)
        low, high = (None, None) if ends is None else [_clipped(e[known], one) for e in ends]
        yield Series(
            contender.label, one.race.budgets[known].tolist(), mean[known].tolist(), "line",
            colors[contender.label], low=low, high=high,
        )  # fmt: skip


def _clipped(end: npt.NDArray[np.float64], one: EqualCompute) -> list[float]:
    """One end of the band as it is drawn: an accuracy is nowhere but from 0 to 100 %."""
    drawn = one.metric.scale * end
    shown: list[float] = (np.clip(drawn, 0, 100) if one.metric.percent else drawn).tolist()
    return shown
