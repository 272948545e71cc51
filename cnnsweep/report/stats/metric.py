"""The metric that a report is about: which one, which way is better, how it is written."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from cnnsweep.errors import unknown
from cnnsweep.metric_names import DIRECTIONS, is_share
from cnnsweep.report.read.run_record import Run
from cnnsweep.report.stats.intervals import Interval

_PREFERRED = ("test_accuracy", "val_accuracy", "test/acc", "val/acc", "accuracy", "acc")
_SMALLER = ("loss", "error", "seconds", "time", "perplexity", "mse", "mae", "rmse", "parameters")
_SETTINGS = ("seed", "threads", "stack", "best_epoch", "epoch", "epochs", "step", "train_seconds")
POINTS = " points"  # unit of a difference of accuracies


@dataclass(frozen=True, slots=True)
class Metric:
    """A metric by name. Accuracies are written in percent, their differences in points."""

    name: str
    maximize: bool
    percent: bool

    @property
    def scale(self) -> int:
        """What to multiply a value with to write or draw it."""
        return 100 if self.percent else 1

    @property
    def title(self) -> str:
        """The name, with the unit of an axis."""
        return self.name + (" (%)" if self.percent else "")

    def sign(self) -> int:
        """What to multiply a value with so that larger is better."""
        return 1 if self.maximize else -1

    def show(self, value: float | None) -> str:
        """``98.86 %``, or the number with four significant digits; ``–`` for None."""
        if value is None:
            return "–"
        return f"{100 * value:.2f} %" if self.percent else f"{value:.4g}"

    def show_difference(self, value: float, half_width: float | None = None) -> str:
        """``0.21 ± 0.06 points``; of any other metric, the plain numbers."""
        return self._spread(value, half_width, ".2f" if self.percent else ".3g", POINTS)

    def show_around(self, mean: float, half_width: float | None) -> str:
        """``98.86 ± 0.09 %``: half of the 95 % interval of the mean, where it has one."""
        return self._spread(mean, half_width, ".2f" if self.percent else ".4g", " %")

    def show_mean(self, mean: float, half_width: float | None, n: int, more: str = "") -> str:
        """``98.86 ± 0.09 % (n = 5)``; ``more`` stands behind the number, in its brackets."""
        return f"{self.show_around(mean, half_width)} (n = {n}{more})"

    def show_deviation(self, deviation: float | None) -> str:
        """``0.07``: of single runs, in points of an accuracy; ``–`` for None."""
        if deviation is None:
            return "–"
        return f"{self.scale * deviation:{'.2f' if self.percent else '.3g'}}"

    def show_interval(self, mean: float, interval: Interval | None) -> str:
        """``± 0.09``; both ends where the mean is not in the middle; ``–`` for None."""
        if interval is None:
            return "–"
        below, above = (self.show_deviation(abs(end - mean)) for end in interval)
        return f"± {below}" if below == above else " to ".join(map(self.show, interval))

    def _spread(self, value: float, spread: float | None, digits: str, unit: str) -> str:
        around = "" if spread is None else f" ± {self.scale * spread:{digits}}"
        return f"{self.scale * value:{digits}}{around}{unit if self.percent else ''}"


TEST_ACCURACY = Metric("test_accuracy", maximize=True, percent=True)


OBJECTIVE = "objective"  # of result.json: its name where nobody says which metric it is
_OF_SEVERAL = "["  # what the objective's config key begins with where it is a list


def choose_metric(runs: Iterable[Run], name: str | None) -> Metric:
    """The metric named, else what another app's runs say that decides, else a likely one.

    The likely ones are test accuracy, validation accuracy, or what there is.

    Raises:
        UserError: no run has such a metric.
    """
    runs = list(runs)
    names = metric_names(runs)
    if name is not None and name not in names:
        raise unknown("metric", name, names or ["none: no run has metrics yet"])
    if name is not None:
        return _metric(runs, name)
    done = metric_names([run for run in runs if run.status == "completed"]) or names
    told = [run for run in runs if run.told or run.decides is not None]
    decides = objective_of(told) if told and all(r in told or not r.result for r in runs) else None
    if decides is not None and (decides.name in done or not {*done} - {*_SETTINGS}):
        return decides
    return _metric(runs, _default(done, runs))


def objective_of(runs: Iterable[Run]) -> Metric | None:
    """The metric whose value the runs' objective is; None where they have several objectives.

    It is called ``objective`` where nobody says which metric it is.
    """
    runs = [run for run in runs if run.config]
    typed = next((str(run.value(f"config.{OBJECTIVE}") or "") for run in runs), "")
    if typed.startswith(_OF_SEVERAL):
        return None
    told = {run.decides for run in runs if run.told or run.decides is not None}
    name = (next(iter(told)) if len(told) == 1 else None) if told - {None} else typed
    if name and (name in told or name in metric_names(runs)):
        return _metric(runs, name)
    ways = {run.direction or DIRECTIONS.get(typed, "minimize") for run in runs if run.told}
    return Metric(OBJECTIVE, ways != {"minimize"}, percent=False)


def _metric(runs: Sequence[Run], name: str) -> Metric:
    ways = {run.direction for run in runs if run.decides == name and run.direction is not None}
    more = ways == {"maximize"} if len(ways) == 1 else maximizes(name)
    values = [value for run in runs if (value := run.metric(name)) is not None]
    return Metric(name, more, is_share(name, values))


def _default(names: list[str], runs: Sequence[Run]) -> str:
    sensible = [name for name in names if name not in _SETTINGS]
    fitting = [n for n in sensible if "acc" in n] + [n for n in sensible if "loss" in n] + sensible
    unknown_yet = "val_accuracy" if any(run.ours for run in runs) else OBJECTIVE
    return next((name for name in _PREFERRED if name in names), [*fitting, unknown_yet][0])


def metric_names(runs: Iterable[Run]) -> list[str]:
    """The names of all metrics that are a number in some run."""
    runs = list(runs)
    names = dict.fromkeys(name for run in runs for name in run.result)
    numeric = (n for n in names if any(run.metric(n) is not None for run in runs))
    return [name for name in numeric if not name.startswith(("versions.", "hardware."))]


def maximizes(name: str) -> bool:
    """Whether more of a metric is better, judged by its name."""
    known = DIRECTIONS.get(name)
    return known == "maximize" if known else not any(word in name.lower() for word in _SMALLER)
