"""How far results would move with other test images, beside how far they move with other seeds."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import special

from cnnsweep.report.answer.block import Block
from cnnsweep.report.answer.group_predictions import predictions_of
from cnnsweep.report.answer.in_words import p_cell, show_p
from cnnsweep.report.read.predictions import PredictionFiles
from cnnsweep.report.stats.comparison import MOST_GROUPS, Comparison, Pair
from cnnsweep.report.stats.grouping import Group, Grouping
from cnnsweep.report.stats.intervals import ALPHA
from cnnsweep.report.stats.metric import Metric
from cnnsweep.report.stats.significance import holm

_MOST_TOLD = 3  # pairs in sentences
_GROUP_COLUMNS = ("group", "runs read", "test images", "seeds: sd", "test images: sd")
_OF_GROUPS = (
    "How far the accuracy moves: with another seed (sd of single runs; of another search too, "
    "where there are several), and with other test images of the same kind (standard error over "
    "the test images of how many of the runs that were read get each right)."
)
_PAIR_COLUMNS = (
    "pair", "difference", "seeds: sd", "test images: sd", "both: sd", "p of test images (Holm)",
)  # fmt: skip
_OF_PAIRS = (
    "How far each difference of two means moves with other seeds (or searches), with other test "
    "images, and with both. The p-value is about the test images alone: would these very networks "
    "differ on all images of this kind? Normal approximation over per-image differences, corrected "
    "after Holm."
)
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class GroupNoise:
    """One group's deviations, as fractions of 1."""

    group: Group
    runs: int  # read
    images: int
    of_images: float  # standard error of the mean accuracy over the images


@dataclass(frozen=True, slots=True)
class PairNoise:
    """One pair's: how far its difference would move."""

    pair: Pair
    of_images: float
    p: float  # that other test images would show no difference; after Holm

    @property
    def of_seeds(self) -> float | None:
        """Standard error over seeds, or searches; None where it isn't known."""
        return self.pair.difference.error

    @property
    def of_both(self) -> float | None:
        """Both together."""
        return None if self.of_seeds is None else math.hypot(self.of_seeds, self.of_images)


@dataclass(frozen=True, slots=True)
class ImageNoise:
    """The noise of the test images; empty where no predictions were recorded."""

    groups: list[GroupNoise]
    pairs: list[PairNoise]


@dataclass(frozen=True, slots=True)
class _Right:
    """By test image: the share of a group's runs that get it right."""

    index: npt.NDArray[np.int64]
    label: npt.NDArray[np.int64]
    share: Floats
    runs: int


def image_noise(
    grouping: Grouping, comparison: Comparison, metric: Metric, files: PredictionFiles
) -> ImageNoise:
    """Of the best groups of each stratum, from up to five runs each; of test accuracy only."""
    if metric.name != "test_accuracy":
        return ImageNoise([], [])
    chosen = [
        group
        for groups in grouping.strata().values()
        for group in [group for group in groups if group.is_sound][:MOST_GROUPS]
    ]
    found = {id(group): right for group in chosen if (right := _right(group, files)) is not None}
    groups = [_group_noise(group, found[id(group)]) for group in chosen if id(group) in found]
    return ImageNoise(groups, _pairs(comparison.pairs, found))


def _right(group: Group, files: PredictionFiles) -> _Right | None:
    read = [own for _, own in predictions_of(group.runs, files)]
    same = [own for own in read if own.same_images(read[0])]
    if not same or len(same[0].label) < 2:
        return None
    share: Floats = np.mean([own.right for own in same], axis=0)
    return _Right(same[0].index, same[0].label, share, len(same))


def _error(values: Floats) -> float:
    return float(values.std(ddof=1)) / math.sqrt(len(values))


def _group_noise(group: Group, right: _Right) -> GroupNoise:
    return GroupNoise(group, right.runs, len(right.share), _error(right.share))


def _pairs(pairs: Sequence[Pair], found: dict[int, _Right]) -> list[PairNoise]:
    known = []
    for pair in pairs:
        first, second = (found.get(id(group)) for group in pair.groups)
        if first is None or second is None or not _same_images(first, second):
            continue
        error = _error(first.share - second.share)
        p = 1.0 if error == 0 else 2 * float(special.ndtr(-pair.difference.mean / error))
        known.append((pair, error, p))
    corrected = holm([p for _, _, p in known])
    return [PairNoise(pair, e, p) for (pair, e, _), p in zip(known, corrected, strict=True)]


def _same_images(first: _Right, second: _Right) -> bool:
    return np.array_equal(first.index, second.index) and np.array_equal(first.label, second.label)


def image_noise_blocks(noise: ImageNoise, metric: Metric) -> list[Block]:
    """A sentence on the best, then a line for each group and pair; [] without predictions."""
    if not noise.groups:
        return []
    title = "Noise of the test set"
    told = [_sentence(noise.groups[0], metric), *_beyond(noise.pairs, metric)]
    groups = [_group_row(one, metric) for one in noise.groups]
    pairs = [_pair_row(one, metric) for one in noise.pairs]
    blocks = [
        Block(title, told),
        Block(f"{title}: groups", (), (), _GROUP_COLUMNS, groups, _OF_GROUPS, is_detail=True),
        Block(f"{title}: pairs", (), (), _PAIR_COLUMNS, pairs, _OF_PAIRS, is_detail=True),
    ]
    return blocks if pairs else blocks[:-1]


def _sentence(one: GroupNoise, metric: Metric) -> str:
    group = one.group
    seeds = (
        "" if group.deviation is None else f"seeds sd {metric.show_deviation(group.deviation)}, "
    )
    if group.nested is not None:
        seeds = f"searches and {seeds}"
    told = f"{seeds}{one.images:,} test images sd {metric.show_difference(one.of_images)}"
    return f"Of the spread of {group.label}{group.where}: {told}."


def _beyond(pairs: list[PairNoise], metric: Metric) -> list[str]:
    """Differences that seeds bear out and the test images do not."""
    open_ones = [one for one in pairs if one.pair.decided and one.p >= ALPHA]
    return [
        f"{one.pair.better.label} beats {one.pair.worse.label} on these test images whatever the "
        f"seed, but other test images may not show it: the difference of "
        f"{metric.show_difference(one.pair.difference.mean)} moves by sd "
        f"{metric.show_difference(one.of_images)} with them ({show_p(one.p)})."
        for one in open_ones[:_MOST_TOLD]
    ]


def _group_row(one: GroupNoise, metric: Metric) -> list[str]:
    group = one.group
    deviations = [metric.show_deviation(sd) for sd in (group.deviation, one.of_images)]
    return [f"{group.label}{group.where}", str(one.runs), f"{one.images:,}", *deviations]


def _pair_row(one: PairNoise, metric: Metric) -> list[str]:
    pair = one.pair
    return [
        f"{pair.better.label} – {pair.worse.label}{pair.better.where}",
        metric.show_difference(pair.difference.mean),
        *(metric.show_deviation(sd) for sd in (one.of_seeds, one.of_images, one.of_both)),
        p_cell(one.p),
    ]
