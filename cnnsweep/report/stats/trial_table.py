"""The completed trials of a sweep, their values, and their hyperparameters as axes."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from cnnsweep.folders.run_folder import PAUSED
from cnnsweep.report.read.run_record import Run, finite
from cnnsweep.report.read.safe_io import Scalar
from cnnsweep.report.read.sweeps import Sweep
from cnnsweep.report.stats.drawn_keys import varied_keys
from cnnsweep.report.stats.metric import Metric, choose_metric, objective_of

_MOST_STEPS = 12
_FEWEST = 3  # trials


@dataclass(slots=True)
class Tried:
    """The completed trials of one sweep, by what differs between its trials.

    The trials that are ``paused`` have no final value yet, and are none of these ``runs``.
    """

    sweep: Sweep
    label: str
    metric: Metric
    keys: list[str]
    runs: list[Run]
    values: list[float]
    paused: list[Run] = field(default_factory=list)

    def heights(self) -> list[float]:
        """The values as they are drawn: accuracies in percent."""
        return [self.metric.scale * value for value in self.values]

    def best(self, most: int) -> npt.NDArray[np.intp]:
        """Indices of the best trials, the very best last."""
        return np.argsort([self.metric.sign() * value for value in self.values])[-most:]

    def column(self, key: str) -> list[Scalar]:
        """The trials' values of a config key."""
        return [run.configured(key) for run in self.runs]

    def lacks(self, key: str) -> bool:
        """Whether some trial's config has no such key."""
        return any(key not in run.config for run in self.runs)

    def having(self, *keys: str) -> "Tried":
        """Those of the trials whose config has these keys, which not every option brings."""
        own = [i for i, run in enumerate(self.runs) if all(key in run.config for key in keys)]
        return replace(
            self,
            runs=[self.runs[i] for i in own],
            values=[self.values[i] for i in own],
            paused=[run for run in self.paused if all(key in run.config for key in keys)],
        )

    def so_far(self) -> list[tuple[Run, float]]:
        """The paused trials that have a value, and their last one as it is drawn."""
        last = ((run, _last(run.metrics.get(self.metric.name, []))) for run in self.paused)
        return [(run, self.metric.scale * value) for run, value in last if value is not None]

    def left_out(self) -> str:
        """What a caption adds where only completed trials are shown."""
        n = len({run.trial for run in self.paused})
        return f" {n:,} paused ones, whose values are not final, are left out." if n else ""


def _last(column: Sequence[float | None]) -> float | None:
    return next((value for value in reversed(column) if value is not None), None)


def tried(sweep: Sweep, label: str) -> Tried | None:
    """A sweep's search trials or grid jobs; None where nothing but seeds differs."""
    members = [r for r in sweep.runs if r.role in ("search", "grid")]
    own = [r for r in members if r.status == "completed"]
    paused = [r for r in members if r.status == PAUSED]
    keys = varied_keys([sweep], [*own, *paused])
    if not own or len(own) + len(paused) < _FEWEST or not keys:
        return None
    objective = objective_of(own)
    known = objective is not None and all(run.metric(objective.name) is not None for run in own)
    metric = objective if known and objective is not None else choose_metric(own, None)
    scored = [(r, v) for r in own if (v := r.metric(metric.name)) is not None]
    runs, values = [r for r, _ in scored], [v for _, v in scored]
    return Tried(sweep, label, metric, keys, runs, values, paused)


def wants_log(values: Sequence[float]) -> bool:
    """Whether a linear axis would crowd the values: a wide span, or steps of equal factors."""
    if min(values) <= 0:
        return False
    low, middle, high = min(values), float(np.median(values)), max(values)
    if high / low >= 50:
        # Values drawn evenly from 0 to 1 span a lot too: the median tells which axis fills.
        on_log = abs(np.log(middle / low) / np.log(high / low) - 0.5)
        return bool(on_log <= abs((middle - low) / (high - low) - 0.5))
    steps = np.diff(np.log(sorted(set(values))))
    return 2 <= len(steps) <= _MOST_STEPS and bool(steps.max() - steps.min() < 0.1 * steps.max())


@dataclass(frozen=True, slots=True)
class Axis:
    """Values of a hyperparameter as places on an axis."""

    places: list[float]
    log: bool
    names: list[str] | None  # of the places 0, 1, 2 …; None where the values are numbers


def axis_of(values: Sequence[Scalar]) -> Axis:
    """Numbers are their own places; of anything else, each text has one, in alphabetical order."""
    found = numbers(values)
    if found is not None:
        return Axis(found, wants_log(found), None)
    texts = [shown(value) for value in values]
    names = sorted({*texts})
    return Axis([float(names.index(text)) for text in texts], log=False, names=names)


def shown(value: Scalar) -> str:
    """A categorical value as an axis shows it."""
    return "none" if value is None else str(value)[:30]


def numbers(values: Sequence[Scalar]) -> list[float] | None:
    """The values as numbers; None where one of them is none."""
    found = [finite(value) for value in values]
    whole = [value for value in found if value is not None]
    return whole if len(whole) == len(found) else None
