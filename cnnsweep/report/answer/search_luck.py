"""How much of a result another search would change, where there were several of each choice."""

from collections.abc import Iterator
from dataclasses import dataclass

from cnnsweep.report.answer.block import Block
from cnnsweep.report.answer.in_words import show_chance
from cnnsweep.report.stats.comparison import Comparison, Pair
from cnnsweep.report.stats.grouping import Group, Grouping
from cnnsweep.report.stats.metric import Metric

_GROUP_COLUMNS = (
    "group", "searches", "runs", "mean", "sd of searches", "sd of seeds", "sd of both",
)  # fmt: skip
_OF_GROUPS = (
    "Each choice was searched several times, and each winner trained with several seeds. sd of "
    "searches: how far another search of the same budget moves the mean, without what seeds add; "
    "sd of seeds: how far another seed moves a run; sd of both: a run of another search and seed. "
    "± is half of the 95 % interval of the mean, over searches."
)
_PAIR_COLUMNS = ("pair", "difference", "searches", "probability (95 % interval)")
_OF_PAIRS = (
    "The probability that the first beats the second where both are searched and trained anew, and "
    "its interval (generalized, with the variances of searches and of seeds; it is wide with few "
    "searches). ± is half of the 95 % interval of the difference, by Welch's t-test of the means "
    "of searches."
)


@dataclass(frozen=True, slots=True)
class SearchLuck:
    """The groups that consist of searches with seeds within, and the pairs of such groups."""

    groups: list[Group]
    pairs: list[Pair]  # those whose ``chance`` is known


def search_luck(grouping: Grouping, comparison: Comparison) -> SearchLuck:
    """What several searches tell; empty where each choice was searched once."""
    groups = [group for group in grouping.groups if group.nested is not None]
    return SearchLuck(groups, [pair for pair in comparison.pairs if pair.chance is not None])


def search_luck_blocks(luck: SearchLuck, metric: Metric) -> Iterator[Block]:
    """How far searches and seeds move each group, and who would win in a new search."""
    if luck.groups:
        rows = [_group_row(group, metric) for group in luck.groups]
        title = "The luck of the search"
        yield Block(title, columns=_GROUP_COLUMNS, rows=rows, caption=_OF_GROUPS)
    if luck.pairs:
        rows = [_pair_row(pair, metric) for pair in luck.pairs]
        yield Block("Searched anew, who wins", columns=_PAIR_COLUMNS, rows=rows, caption=_OF_PAIRS)


def _group_row(group: Group, metric: Metric) -> list[str]:
    nested = group.nested
    if nested is None:
        return []
    # With one seed a search, its mean holds the luck of both, and they can't be told apart.
    deviations = (nested.of_searches, nested.of_seeds, nested.deviation)
    return [
        f"{group.label}{group.where}",
        str(nested.searches),
        str(group.n),
        metric.show_around(group.mean, group.half_width),
        *("–" if sd is None else metric.show_difference(sd) for sd in deviations),
    ]


def _pair_row(pair: Pair, metric: Metric) -> list[str]:
    d = pair.difference
    counts = [group.nested.searches for group in pair.groups if group.nested is not None]
    return [
        f"{pair.better.label} – {pair.worse.label}{pair.better.where}",
        metric.show_difference(d.mean, d.half_width),
        " / ".join(map(str, dict.fromkeys(counts))),
        "–" if pair.chance is None else show_chance(pair.chance),
    ]
