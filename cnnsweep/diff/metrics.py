"""Metrics of two runs, their differences, and how far chance over images alone explains these."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from cnnsweep.diff.data import Data, test_images, validation_images
from cnnsweep.diff.images import Images
from cnnsweep.diff.sides import RunSide
from cnnsweep.metric_names import DIRECTIONS
from cnnsweep.report.answer.block import Block
from cnnsweep.report.answer.in_words import show_p
from cnnsweep.report.read.run_record import Run
from cnnsweep.report.stats.intervals import ALPHA
from cnnsweep.report.stats.metric import POINTS, Metric, choose_metric, metric_names
from cnnsweep.report.stats.share_interval import newcombe, newcombe_paired
from cnnsweep.report.stats.significance import mcnemar_exact

ONE_EACH = "n = 1 each: seeds not measured. Other seeds alone may turn a difference like these."
_ORDER = ("test_accuracy", "test_balanced_accuracy", "test_loss", "val_accuracy")
_NOT_SHOWN = ("seed", "threads", "stack", "objective")
_MOST_OTHERS = 20  # metrics of another app


class Uncertainty(NamedTuple):
    """The 95 % interval of B minus A over images, McNemar's p-value, and what they rest on."""

    low: float
    high: float
    p: float | None
    basis: str


@dataclass(frozen=True, slots=True)
class Measured:
    """One metric of both runs, in its own unit (accuracies in 0..1); None where it isn't known."""

    metric: Metric
    a: float | None
    b: float | None
    uncertainty: Uncertainty | None = None

    @property
    def difference(self) -> float | None:
        """B minus A."""
        return None if self.a is None or self.b is None else self.b - self.a

    @property
    def differs(self) -> bool:
        """Whether they are not known to be equal."""
        return self.a != self.b

    def row(self) -> list[str]:
        """Cells of a table."""
        show, difference = self.metric, self.difference
        values = [_shown(show, value) for value in (self.a, self.b)]
        apart = "–" if difference is None else signed(show, difference)
        return [show.name, *values, apart, *self._uncertain()]

    def _uncertain(self) -> list[str]:
        known = self.uncertainty
        if known is None:
            return ["–", "–"]
        return [
            between(self.metric, known.low, known.high),
            f"{'' if known.p is None else f'McNemar {show_p(known.p)}, '}{known.basis}",
        ]

    def as_plain(self) -> dict[str, Any]:
        """What JSON holds."""
        known = self.uncertainty
        return {
            "name": self.metric.name,
            "better": "higher" if self.metric.maximize else "lower",
            "a": self.a,
            "b": self.b,
            "difference": self.difference,
            "interval_95": None if known is None else [known.low, known.high],
            "mcnemar_p": None if known is None else known.p,
            "rests_on": None if known is None else known.basis,
        }


@dataclass(frozen=True, slots=True)
class Metrics:
    """All metrics of either run; ``said``: what the metrics do not tell."""

    listed: list[Measured]
    said: list[str]

    def of(self, name: str) -> Measured | None:
        """The metric of this name."""
        return next((one for one in self.listed if one.metric.name == name), None)

    def as_plain(self) -> dict[str, Any]:
        """What JSON holds."""
        return {"listed": [one.as_plain() for one in self.listed], "notes": self.said}

    def block(self) -> Block:
        """A table of all, equal ones included."""
        if not self.listed:
            return Block("Metrics", ["Metrics: none is recorded."])
        if not any(one.differs for one in self.listed):
            return Block("Metrics", ["Metrics: no difference.", *self.said])
        columns = ["", "A", "B", "B − A", "95 % interval over images", "by"]
        return Block("Metrics", self.said, columns=columns, rows=[one.row() for one in self.listed])


def _shown(metric: Metric, value: float | None) -> str:
    """Whole numbers, such as those of epochs and parameters, are not rounded."""
    is_whole = not metric.percent and value is not None and float(value).is_integer()
    return f"{value:,.0f}" if is_whole else metric.show(value)


def signed(metric: Metric, value: float) -> str:
    """``+0.21 points``; of any other metric, the plain number."""
    is_whole = not metric.percent and float(value).is_integer()
    value += 0.0  # a zero has no sign
    text = f"{value:,.0f}" if is_whole else metric.show_difference(value)
    text = text.replace("-", "−")
    return text if text.startswith("−") else f"+{text}"


def between(metric: Metric, low: float, high: float) -> str:
    """``−0.04 to +0.21 points``."""
    return f"{signed(metric, low).removesuffix(POINTS)} to {signed(metric, high)}"


def metrics_apart(a: RunSide, b: RunSide, data: Data, images: Images | str) -> Metrics:
    """Every metric that either run has, with its uncertainty over images where that is known."""
    runs = [a.run, b.run]
    listed = []
    for name in _names(runs):
        metric = choose_metric(runs, name)
        values = (a.run.metric(name), b.run.metric(name))
        sure = _uncertainty(name, (a, b), values, images)
        listed.append(Measured(metric, *values, sure))
    return Metrics(listed, [*_notes(listed, data, images)])


def _names(runs: Sequence[Run]) -> list[str]:
    known = metric_names(runs)
    first = [name for name in (*_ORDER, *DIRECTIONS) if name in known]
    others = [name for name in known if name not in _NOT_SHOWN]
    return list(dict.fromkeys([*first, *others[: _MOST_OTHERS + len(first)]]))


def _uncertainty(
    name: str,
    sides: tuple[RunSide, RunSide],
    values: tuple[float | None, float | None],
    images: Images | str,
) -> Uncertainty | None:
    (a, b), (first, second) = sides, values
    if first is None or second is None or not (0 <= first <= 1 and 0 <= second <= 1):
        return None
    is_known = isinstance(images, Images) and _fits(images, first, second)
    if name == "test_accuracy" and isinstance(images, Images) and is_known:
        return _by_image(images)
    counts = {
        "test_accuracy": lambda: (_tested(a, images), _tested(b, images)),
        "val_accuracy": lambda: (validation_images(a), validation_images(b)),
    }
    of = counts.get(name, lambda: (None, None))()
    if of[0] is None or of[1] is None:
        return None
    low, high = newcombe((second, of[1]), (first, of[0]), ALPHA)
    split = "validation" if name.startswith("val") else "test"
    many = f"{of[0]:,}" if of[0] == of[1] else f"{of[0]:,} and {of[1]:,}"
    return Uncertainty(low, high, None, f"{many} {split} images as if of their own")


def _tested(side: RunSide, images: Images | str) -> int | None:
    recorded = test_images(side)
    return images.counts.total if recorded is None and isinstance(images, Images) else recorded


def _by_image(images: Images) -> Uncertainty:
    counts = images.counts
    low, high = newcombe_paired(counts, ALPHA)
    p = mcnemar_exact(counts.only_first, counts.only_second)
    return Uncertainty(0.0 - high, 0.0 - low, p, f"{counts.total:,} test images, in pairs")


def _fits(images: Images, first: float, second: float) -> bool:
    """Whether the files of answers are those of the recorded accuracies."""
    counts = images.counts
    rights = counts.both + counts.only_first, counts.both + counts.only_second
    return all(
        abs(right / counts.total - recorded) < 0.5 / counts.total
        for right, recorded in zip(rights, (first, second), strict=True)
    )


def _notes(listed: Sequence[Measured], data: Data, images: Images | str) -> Iterator[str]:
    yield ONE_EACH
    if data.same is False:
        yield "The data differ: these metrics are not of the same images."
    elif data.same is None and isinstance(images, Images):
        yield "Not both record their data: equal labels are taken for the same test images."
    elif data.same and not data.same_split:
        yield "Validation metrics are not of the same images."
    by_name: Mapping[str, Measured] = {one.metric.name: one for one in listed}
    tested = by_name.get("test_accuracy")
    if not isinstance(images, Images) or tested is None or tested.difference is None:
        return
    if not _fits(images, tested.a or 0.0, tested.b or 0.0):
        yield "The files of test answers do not fit the recorded test accuracy: they don't count."
