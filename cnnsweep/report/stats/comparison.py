"""Every pair of groups that may be compared: paired by seed, and image by image."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations
from statistics import fmean

from cnnsweep.report.read.predictions import PredictionFiles
from cnnsweep.report.read.run_record import Run
from cnnsweep.report.stats.choose_groups import named_group
from cnnsweep.report.stats.group_keys import is_data
from cnnsweep.report.stats.grouping import Group, Grouping
from cnnsweep.report.stats.intervals import ALPHA, FEWEST
from cnnsweep.report.stats.metric import Metric
from cnnsweep.report.stats.nested import Chance, chance
from cnnsweep.report.stats.significance import (
    Difference,
    equivalence,
    holm,
    mcnemar_of_seeds,
    paired_t,
    seeds_needed,
    welch_t,
)

MOST_GROUPS = 12  # of a stratum, in pairs
WELCH_OVER_SEARCHES = "Welch t over searches"
_MOST_SEEDS_OF_IMAGES = 5


@dataclass(frozen=True, slots=True)
class Images:
    """McNemar's test over the test images of common seeds."""

    p: float
    count: int  # test images
    only_better: float  # images that only the better group got right, mean over the seeds
    only_worse: float
    seeds: int
    p_holm: float = 1.0


@dataclass(frozen=True, slots=True)
class Pair:
    """Two groups of one stratum; ``difference`` is better minus worse, positive is better."""

    better: Group
    worse: Group
    difference: Difference
    images: Images | None
    p_holm: float | None = None
    needed: int | None = None  # seeds, or searches, that would show a difference of this size
    p_same: float | None = None  # that they differ by less than the margin, after Holm
    chance: Chance | None = None  # of the better one to win where both are searched anew

    @property
    def groups(self) -> tuple[Group, Group]:
        """Both, the better one first."""
        return self.better, self.worse

    @property
    def decided(self) -> bool:
        """Whether the better group can be called better."""
        return not self.too_few and self.p_holm is not None and self.p_holm < ALPHA

    @property
    def too_few(self) -> bool:
        """Whether there are too few values for any verdict."""
        return self.difference.n < FEWEST

    @property
    def equivalent(self) -> bool:
        """Whether they differ by less than the margin that was asked for."""
        return not self.too_few and self.p_same is not None and self.p_same < ALPHA

    @property
    def over_searches(self) -> bool:
        """Whether it is about networks that are searched anew, not about given settings."""
        return any(group.nested is not None for group in self.groups)


@dataclass(slots=True)
class Comparison:
    """All pairs, corrected together, and notes on pairs that were not formed."""

    pairs: list[Pair]
    baseline: str | None
    margin: float | None = None  # in the metric's unit; see ``equivalence``
    notes: list[str] = field(default_factory=list)


def compare(
    grouping: Grouping,
    metric: Metric,
    baseline: str | None,
    files: PredictionFiles,
    margin: float | None = None,
) -> Comparison:
    """Compare all groups of each stratum, or each with the ``baseline``.

    Args:
        grouping: the groups.
        metric: what is compared.
        baseline: the label of a group, its start, or a value that one group alone is grouped by.
        files: the runs' predictions.
        margin: differences up to it do not matter, in the metric's unit.

    Raises:
        UserError: no group is called ``baseline``, or several are.
    """
    if baseline is not None:
        baseline = named_group(grouping, baseline)
    comparison = Comparison([], baseline, margin)
    if any(is_data(key) and "." not in key for key in grouping.by):
        comparison.notes.append(
            f"Groups by {', '.join(grouping.by)} saw different images: they are not compared."
        )
        return comparison
    for groups in grouping.strata().values():
        sound = [group for group in groups if group.is_sound]
        chosen = _worth_comparing(sound, baseline, comparison.notes)
        for first, second in combinations(chosen, 2):
            if baseline in (None, first.label, second.label):
                comparison.pairs.append(_pair(first, second, metric, files))
    comparison.pairs = _corrected(comparison.pairs, margin)
    return comparison


def _worth_comparing(groups: list[Group], baseline: str | None, notes: list[str]) -> list[Group]:
    chosen = groups[:MOST_GROUPS]
    if len(groups) > MOST_GROUPS:
        notes.append(f"Only the best {MOST_GROUPS} of {len(groups)} groups are compared in pairs.")
        chosen += [g for g in groups[MOST_GROUPS:] if g.label == baseline]
    return chosen


def _pair(first: Group, second: Group, metric: Metric, files: PredictionFiles) -> Pair:
    difference = _difference(first, second, metric.sign())
    if difference.mean < 0:  # over the common seeds the order may be another than over all
        first, second = second, first
        difference = _difference(first, second, metric.sign())
    images = _images(first, second, files) if metric.name.startswith("test") else None
    beats = None
    if first.nested is not None and second.nested is not None and difference.p is not None:
        enough = difference.n >= FEWEST
        beats = chance(first.nested, second.nested, metric.sign()) if enough else None
    return Pair(first, second, difference, images, chance=beats)


def _difference(first: Group, second: Group, sign: int) -> Difference:
    if first.nested is not None or second.nested is not None:
        return _over_searches(first, second, sign)
    left, right = _common(first, second)
    if len(left) < FEWEST <= min(first.n, second.n):  # a few common seeds are worse than none
        return welch_t(*(_signed(group.units.values(), sign) for group in (first, second)))
    if left:
        return paired_t(_signed(left, sign), _signed(right, sign))
    return Difference("unpaired", 1, sign * (first.mean - second.mean))


def _over_searches(first: Group, second: Group, sign: int) -> Difference:
    """Welch's test of the means of searches; against a network of one search there is none."""
    values = [_signed(g.independent(), sign) for g in (first, second)]
    if any(group.nested is None and group.from_searches for group in (first, second)):
        return Difference(WELCH_OVER_SEARCHES, 1, sign * (first.mean - second.mean))
    return replace(welch_t(*values), kind=WELCH_OVER_SEARCHES)


def _signed(values: Iterable[float], sign: int) -> list[float]:
    return [sign * value for value in values]


def _common(first: Group, second: Group) -> tuple[list[float], list[float]]:
    """A value of either group for each common seed."""
    left, right = _by_seed(first), _by_seed(second)
    seeds = left.keys() & right.keys()
    return [left[seed] for seed in seeds], [right[seed] for seed in seeds]


def _by_seed(group: Group) -> dict[object, float]:
    """Values by seed: a group that is compared has one setting."""
    return {seed: value for (seed, _, _), value in group.units.items()}


def _images(better: Group, worse: Group, files: PredictionFiles) -> Images | None:
    left, right = _first_runs(better), _first_runs(worse)
    seeds = sorted(left.keys() & right.keys(), key=str)[:_MOST_SEEDS_OF_IMAGES]
    gains, losses, count = [], [], 0
    for seed in seeds:
        ours, theirs = files.get(left[seed]), files.get(right[seed])
        if ours is None or theirs is None or not ours.same_images(theirs):
            continue
        gains.append(int((ours.right & ~theirs.right).sum()))
        losses.append(int((theirs.right & ~ours.right).sum()))
        count = len(ours.label)
    if not gains:
        return None
    p = mcnemar_of_seeds(list(zip(gains, losses, strict=True)))
    return Images(p, count, fmean(gains), fmean(losses), len(gains))


def _first_runs(group: Group) -> dict[object, Run]:
    runs: dict[object, Run] = {}
    for run in group.runs:
        if run.seed is not None:
            runs.setdefault(run.seed, run)
    return runs


def _corrected(pairs: list[Pair], margin: float | None) -> list[Pair]:
    """Holm's correction over all pairs, for each kind of test on its own."""
    p_tests = _holm([pair.difference.p for pair in pairs])
    p_images = _holm([None if pair.images is None else pair.images.p for pair in pairs])
    same = [None if margin is None else equivalence(pair.difference, margin) for pair in pairs]
    level = ALPHA / max(sum(p is not None for p in p_tests), 1)
    corrected = []
    for pair, p, p_image, p_same in zip(pairs, p_tests, p_images, _holm(same), strict=True):
        images = pair.images and replace(pair.images, p_holm=p_image or 0.0)
        needed = _needed(pair.difference, level)
        corrected.append(replace(pair, p_holm=p, needed=needed, images=images, p_same=p_same))
    return corrected


def _holm(p_values: Sequence[float | None]) -> list[float | None]:
    """Corrected over those that there are."""
    corrected = iter(holm([p for p in p_values if p is not None]))
    return [None if p is None else next(corrected) for p in p_values]


def _needed(difference: Difference, level: float) -> int | None:
    return None if difference.single is None else seeds_needed(difference.single, level)
