"""The interval of a difference between two configs of a search, and whether it is a finding.

Reports and the end of a sweep say the same of it, in the words that are here.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from cnnsweep.report.stats.intervals import ALPHA, FEWEST, Interval, half_width, mean_deviation
from cnnsweep.report.stats.share_interval import newcombe

Share = tuple[float, int]  # in 0..1, and of how many images
SPLITS = {"val_accuracy": "validation", "test_accuracy": "test"}  # what a share is of, by metric


@dataclass(frozen=True, slots=True)
class Gain:
    """The winner's value less the default config's.

    ``interval`` is that of two configs that nobody chose; ``chosen`` that of the best of
    ``number`` trials in the best of ``searches`` (Bonferroni), None without an interval. On the
    test split a winner is chosen among searches alone, and ``number`` is 1. ``basis`` says in
    words what they rest on.
    """

    difference: float
    interval: Interval | None
    basis: str = ""
    chosen: Interval | None = None
    number: int = 1
    searches: int = 1  # whose winners are compared, of which the best is read first
    lacks_seeds: bool = False  # too few runs for the luck of seeds to be in the interval

    @property
    def is_finding(self) -> bool:
        """Whether it is more than chance."""
        if self.lacks_seeds:
            return False
        return all(i is not None and not i[0] <= 0 <= i[1] for i in (self.interval, self.chosen))

    def verdict(self, *, is_share: bool) -> str:
        """``95 % interval 0.75 to 1.25 (…): more than chance …``; empty without an interval."""
        if self.interval is None:
            return ""
        scale, digits = (100, ".2f") if is_share else (1, ".3g")
        low, high = (f"{scale * end:{digits}}" for end in self.interval)
        said = f"95 % interval {low} to {high} ({self.basis}): "
        if self.interval[0] <= 0 <= self.interval[1]:
            return f"{said}no finding, chance alone may do that"
        if self.lacks_seeds:
            return f"{said}more than the images' chance; what seeds do is unknown before three runs"
        if not self.is_finding:
            return f"{said}no finding all the same, since it was chosen as {self._best()}"
        best = self._best()
        return f"{said}more than chance{best and f', also for {best}'}"

    def _best(self) -> str:
        """Of how many it is the best, in words; empty where nothing was chosen."""
        trials = f"the best of {self.number}" if self.number > 1 else ""
        searches = f"the best of {self.searches} searches" if self.searches > 1 else ""
        return " in ".join(filter(None, [trials, searches]))


def none_better(others: int) -> str:
    """What is said of the default config that won; empty where there was no other trial."""
    if others > 1:
        return f": none of the other {others} trials was better"
    return ": the other trial was not better" if others == 1 else ""


def unknown_chance(*, has_seeds: bool) -> str:
    """What is said of a difference without an interval; ``has_seeds``: runs can be given others."""
    how = ": hydra.sweeper.seeds=3 measures that" if has_seeds else ""
    return f"how far chance alone goes is unknown{how}"


def gain_of_seeds(
    first: Sequence[float], second: Sequence[float], number: int, searches: int = 1
) -> Gain | None:
    """Of runs with the same seeds, in the same order: Student's interval of their differences.

    None for fewer than FEWEST seeds, or where not every seed has both values.
    """
    if len(first) != len(second) or len(first) < FEWEST:
        return None
    differences = [a - b for a, b in zip(first, second, strict=True)]
    mean, deviation = mean_deviation(differences)

    def interval(alpha: float) -> Interval:
        half = half_width(deviation, len(differences), alpha) or 0.0
        return mean - half, mean + half

    basis = f"{len(differences)} seeds each, in pairs"
    chosen = interval(level_of_best(number, searches))
    return Gain(mean, interval(ALPHA), basis, chosen, number, searches)


def gain_of_images(
    first: Share, second: Share, split: str, number: int, seeds: str, searches: int = 1
) -> Gain:
    """Of two accuracies, by how many images they rest on.

    As if they were different images: on the same ones the interval is rather too wide. ``split``
    and ``seeds`` are for the words: ``validation``, ``one seed``.
    """
    levels = ALPHA, level_of_best(number, searches)
    intervals = [newcombe(first, second, alpha) for alpha in levels]
    basis = f"{first[1]:,} {split} images, {seeds}"
    return Gain(first[0] - second[0], intervals[0], basis, intervals[1], number, searches)


def level_of_best(number: int, searches: int) -> float:
    """Bonferroni's level for the best of ``number`` trials in the best of so many searches.

    One of the trials is the default config, which is not compared with itself.
    """
    return ALPHA / (max(number - 1, 1) * searches)
