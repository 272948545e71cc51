"""A search's winner against the config without the search: by how much, and whether it is luck."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import fmean

from cnnsweep.folders.run_folder import PAUSED
from cnnsweep.report.answer.winning.gain import (
    SPLITS,
    Gain,
    gain_of_images,
    gain_of_seeds,
    level_of_best,
    none_better,
    unknown_chance,
)
from cnnsweep.report.read.run_files import Splits
from cnnsweep.report.read.run_record import Run, finite
from cnnsweep.report.stats.intervals import ALPHA, FEWEST, Interval, t_quantile
from cnnsweep.report.stats.metric import TEST_ACCURACY, Metric
from cnnsweep.report.stats.significance import welch_t


@dataclass(frozen=True, slots=True)
class OnTest:
    """Test accuracies of one config by seed, and how many test images they rest on."""

    values: Mapping[object, float]
    images: int | None
    source: str = ""  # the runs, in words


@dataclass(frozen=True, slots=True)
class AgainstDefault:
    """What is known of the difference; ``gain`` is None where ``unknown`` says why."""

    metric: Metric
    settings: Sequence[str]
    default: float | None = None
    gain: Gain | None = None
    unknown: str = ""
    when: str = ""  # the epochs after which both are compared, where those are not their last
    source: str = ""  # the default config's runs, where the search did not train them
    is_default: bool = False  # the winner is the default config itself
    has_seeds: bool = True  # False: the runs are another app's, whose seed nobody can set

    def sentence(self) -> str:
        """``It is 1.39 points above the default config (…), 95 % interval …: no finding …``."""
        words = " ".join(self.settings)
        shown = None if self.default is None else self.metric.show(self.default)
        reached = shown and f"{self.metric.name} {shown}"
        named = f"the default config ({'; '.join(filter(None, [words, reached]))})"
        if self.gain is None:
            return self.unknown.format(named) + "."
        difference = self.gain.difference
        if difference == 0:
            return f"It is as good as {named} on {self._split()}{self.when}."
        way = "above" if difference > 0 else "below"
        said = f"It is {self.metric.show_difference(abs(difference))} {way} {named} on "
        verdict = self.gain.verdict(is_share=self.metric.percent)
        what = f"{said}{self._split()}{self.when}"
        chance = f"; {unknown_chance(has_seeds=self.has_seeds)}"
        return f"{what}{(verdict and f', {verdict}') or chance}."

    def cell(self) -> str:
        """The same for a table: ``+1.39 points (-7.42 to 10.18)``."""
        if self.gain is None:
            return "is the default config" if self.is_default else "unknown"
        shown = f"{'+' if self.gain.difference > 0 else ''}"
        shown += self.metric.show_difference(self.gain.difference)
        if self.gain.interval is None:
            return shown
        low, high = (self.metric.show_deviation(end) for end in self.gain.interval)
        return f"{shown} ({low} to {high}{'' if self.gain.is_finding else ', no finding'})"

    def _split(self) -> str:
        source = f" (the default config's values: {self.source})" if self.source else ""
        return f"the test split{source}" if self.metric.name.startswith("test") else "validation"


def on_test(
    winner: OnTest, default: OnTest, settings: Sequence[str], searches: int = 1
) -> AgainstDefault | None:
    """Both by their test accuracy, by which no trial was chosen; None where one has none.

    What is read first is the winner of the best of so many ``searches``, and those are ranked by
    the same accuracy.
    """
    if not winner.values or not default.values:
        return None
    common = winner.values.keys() & default.values.keys()
    first, second = ([t.values[seed] for seed in common] for t in (winner, default))
    means = fmean(winner.values.values()), fmean(default.values.values())
    gain = gain_of_seeds(first, second, 1, searches) or _of_groups(winner, default, searches)
    if gain is None and winner.images and default.images:
        shares = (means[0], winner.images), (means[1], default.images)
        counts = f"n = {len(winner.values)} and {len(default.values)}"
        gain = replace(gain_of_images(*shares, "test", 1, counts, searches), lacks_seeds=True)
    gain = gain or Gain(means[0] - means[1], None)
    return AgainstDefault(TEST_ACCURACY, settings, means[1], gain, source=default.source)


def _of_groups(winner: OnTest, default: OnTest, searches: int) -> Gain | None:
    """Of runs without enough common seeds: Welch's interval."""
    sizes = len(winner.values), len(default.values)
    difference = welch_t([*winner.values.values()], [*default.values.values()])
    error, freedom = difference.error, difference.freedom
    if error is None or freedom is None or min(sizes) < FEWEST:
        return None

    def interval(alpha: float) -> Interval:
        half = t_quantile(freedom, alpha) * error
        return difference.mean - half, difference.mean + half

    common = len(winner.values.keys() & default.values.keys())
    seeds = {0: "no common seeds", 1: "only one seed in common"}
    told = seeds.get(common, f"only {common} seeds in common")
    basis = f"{sizes[0]} and {sizes[1]} runs, {told}"
    chosen = interval(level_of_best(1, searches))
    return Gain(difference.mean, interval(ALPHA), basis, chosen, searches=searches)


def on_validation(
    metric: Metric,
    best: Sequence[Run],
    default: Sequence[Run],
    splits: Splits,
    number: int,
    settings: Sequence[str],
    searches: int = 1,
    beaten: int = 0,
) -> AgainstDefault:
    """Both by the objective, by which the winner was chosen as the best of ``number`` trials.

    What is read first is the winner of the best of so many ``searches``. The winner beat
    ``beaten`` of the search's own trials.

    A default config that is paused is compared as both were after the epochs that it had.
    """
    states, when = {run.status for run in default}, ""
    if best[0].folder == default[0].folder:
        said = f"It is {{}}{none_better(beaten)}"
        return AgainstDefault(metric, settings, unknown=said, is_default=True)
    if states == {"completed"}:
        values = [objectives(runs) for runs in (best, default)]
    elif states == {PAUSED} and len(default) == 1:
        epochs = default[0].epochs_done
        values = [_best_until(runs[0], metric, epochs) for runs in (best, default)]
        planned = default[0].epochs_planned
        of = "" if planned is None else f" of {planned:g}"
        when = f" after {epochs}{of} epochs, where that is paused"
        if values[0]:
            when += f" and the winner had {metric.show(values[0][0])}"
    else:
        ending = next((s for s in ("failed", "pruned", PAUSED) if s in states), "not over")
        return AgainstDefault(
            metric, settings, unknown=f"{{}} is {ending}: what the winner gained over it is unknown"
        )
    if not all(values):
        return AgainstDefault(metric, settings, unknown="What {} reached is unknown")
    gain = _on_validation(metric, values, splits, number, searches)
    seeds = best[0].seed is not None
    return AgainstDefault(metric, settings, fmean(values[1]), gain, when=when, has_seeds=seeds)


def _on_validation(
    metric: Metric, values: Sequence[Sequence[float]], splits: Splits, number: int, searches: int
) -> Gain:
    first, second = values
    difference = fmean(first) - fmean(second)
    split = SPLITS.get(metric.name)
    images = {"validation": splits.validation, "test": splits.test}.get(split or "")
    if len(first) > 1:
        return gain_of_seeds(first, second, number, searches) or Gain(difference, None)
    if split is None or images is None:
        return Gain(difference, None)
    shares = (first[0], images), (second[0], images)
    return gain_of_images(*shares, split, number, "one seed", searches)


def objectives(runs: Iterable[Run]) -> list[float]:
    """The objectives of the completed runs."""
    done = (run.metric("objective") for run in runs if run.status == "completed")
    return [value for value in done if value is not None]


def _best_until(run: Run, metric: Metric, epochs: int) -> list[float]:
    """A run's best value in its first epochs, in a list; [] where it has none."""
    column = run.metrics.get(metric.name, [])[:epochs]
    values = [value for value in map(finite, column) if value is not None]
    return [max(values, key=lambda v: metric.sign() * v)] if values else []
