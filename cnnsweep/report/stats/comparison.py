"""Every pair of groups that may be compared: paired by seed, and image by image."""

from dataclasses import dataclass, field, replace
from itertools import combinations
from statistics import fmean

from cnnsweep.errors import UserError, unknown
from cnnsweep.report.read.predictions import PredictionFiles
from cnnsweep.report.read.run_record import Run
from cnnsweep.report.stats.group_keys import is_data
from cnnsweep.report.stats.grouping import Group, Grouping
from cnnsweep.report.stats.intervals import ALPHA, FEWEST
from cnnsweep.report.stats.metric import Metric
from cnnsweep.report.stats.significance import (
    Difference,
    combine,
    holm,
    mcnemar_exact,
    paired_t,
    seeds_needed,
    welch_t,
)

MOST_GROUPS = 12  # of a stratum, in pairs
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
    needed: int | None = None  # seeds that would show a difference of this size

    @property
    def decided(self) -> bool:
        """Whether the better group can be called better."""
        return not self.too_few and self.p_holm is not None and self.p_holm < ALPHA

    @property
    def too_few(self) -> bool:
        """Whether there are too few values for any verdict."""
        return self.difference.n < FEWEST


@dataclass(slots=True)
class Comparison:
    """All pairs, corrected together, and notes on pairs that were not formed."""

    pairs: list[Pair]
    baseline: str | None
    notes: list[str] = field(default_factory=list)


def compare(
    grouping: Grouping, metric: Metric, baseline: str | None, files: PredictionFiles
) -> Comparison:
    """Compare all groups of each stratum, or each with the ``baseline``.

    Raises:
        UserError: no group is called ``baseline``.
    """
    labels = {group.label for group in grouping.groups}
    if baseline is not None and baseline not in labels:
        if not labels:
            raise UserError(f"--baseline {baseline}: there is no completed run to compare with")
        raise unknown("group in --baseline", baseline, labels)
    comparison = Comparison([], baseline)
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
    comparison.pairs = _corrected(comparison.pairs)
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
    return Pair(first, second, difference, images)


def _difference(first: Group, second: Group, sign: int) -> Difference:
    left, right = _common(first, second)
    if len(left) < 2 <= min(first.n, second.n):
        left, right = list(first.units.values()), list(second.units.values())
        return welch_t([sign * v for v in left], [sign * v for v in right])
    if left:
        return paired_t([sign * v for v in left], [sign * v for v in right])
    gap = sign * (first.mean - second.mean)
    return Difference("unpaired", 1, gap)


def _common(first: Group, second: Group) -> tuple[list[float], list[float]]:
    """A value of either group for each common seed."""
    left, right = _by_seed(first), _by_seed(second)
    seeds = left.keys() & right.keys()
    return [left[seed] for seed in seeds], [right[seed] for seed in seeds]


def _by_seed(group: Group) -> dict[object, float]:
    """Values by seed: a group that is compared has one setting."""
    return {seed: value for (seed, _), value in group.units.items()}


def _images(better: Group, worse: Group, files: PredictionFiles) -> Images | None:
    left, right = _first_runs(better), _first_runs(worse)
    seeds = sorted(left.keys() & right.keys(), key=str)[:_MOST_SEEDS_OF_IMAGES]
    p_values, gains, losses, count = [], [], [], 0
    for seed in seeds:
        ours, theirs = files.get(left[seed]), files.get(right[seed])
        if ours is None or theirs is None or not ours.same_images(theirs):
            continue
        gains.append(int((ours.right & ~theirs.right).sum()))
        losses.append(int((theirs.right & ~ours.right).sum()))
        p_values.append(mcnemar_exact(gains[-1], losses[-1]))
        count = len(ours.label)
    if not p_values:
        return None
    return Images(combine(p_values), count, fmean(gains), fmean(losses), len(p_values))


def _first_runs(group: Group) -> dict[object, Run]:
    runs: dict[object, Run] = {}
    for run in group.runs:
        if run.seed is not None:
            runs.setdefault(run.seed, run)
    return runs


def _corrected(pairs: list[Pair]) -> list[Pair]:
    """Holm's correction over all pairs, for either test on its own."""
    tested = [i for i, pair in enumerate(pairs) if pair.difference.p is not None]
    seen = [i for i, pair in enumerate(pairs) if pair.images is not None]
    p_tests = dict(zip(tested, holm([pairs[i].difference.p or 0.0 for i in tested]), strict=True))
    p_images = dict(zip(seen, holm([p.images.p for p in pairs if p.images]), strict=True))
    level = ALPHA / max(len(tested), 1)
    corrected = []
    for i, pair in enumerate(pairs):
        effect = pair.difference.effect
        corrected.append(
            replace(
                pair,
                p_holm=p_tests.get(i),
                needed=None if effect is None else seeds_needed(effect, level),
                images=pair.images and replace(pair.images, p_holm=p_images[i]),
            )
        )
    return corrected
