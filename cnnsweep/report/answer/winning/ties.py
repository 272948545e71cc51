"""Networks that can't be told apart from the one that leads, and what to type to tell more."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from cnnsweep.errors import and_more
from cnnsweep.folders.sweep_folder import is_repeated_search
from cnnsweep.report.answer.winning.ranking import Ranked, Ranking
from cnnsweep.report.answer.winning.winners import Winner
from cnnsweep.report.stats.comparison import Comparison, Pair
from cnnsweep.report.stats.grouping import Group


@dataclass(frozen=True, slots=True)
class Tie:
    """A ranking's first network and those that it can't be told apart from."""

    leader: str
    others: list[str]
    winners: list[Winner]  # of all of them

    def sentence(self) -> str:
        """Who is as good as whom, as far as is known."""
        return f"{self.leader} leads, but can't be told apart from {and_more(self.others)}"


def ties(rankings: Sequence[Ranking], comparison: Comparison) -> list[Tie]:
    """Of the rankings by confirmation runs whose first network is not better than all others."""
    found = (_tie(ranking, comparison.pairs) for ranking in rankings if ranking.is_tested)
    return [tie for tie in found if tie is not None]


def _tie(ranking: Ranking, pairs: Iterable[Pair]) -> Tie | None:
    first, *others = ranking.networks
    open_pairs = [pair for pair in pairs if not (pair.decided or pair.equivalent)]
    tied = [other for other in others if any(_is_of(pair, first, other) for pair in open_pairs)]
    if not tied:
        return None
    winners = [winner for one in (first, *tied) for winner in one.winners]
    return Tie(first.name, [one.name for one in tied], winners)


def _is_of(pair: Pair, first: Ranked, second: Ranked) -> bool:
    """Whether a pair compares the confirmation runs of two networks."""
    left, right = pair.groups
    straight = _has(left, first) and _has(right, second)
    return straight or (_has(right, first) and _has(left, second))


def _has(group: Group, network: Ranked) -> bool:
    own = {id(run) for winner in network.winners for run in winner.runs}
    return any(id(run) in own for run in group.runs)


def searches_of(winners: Iterable[Winner]) -> int:
    """How many searches of a choice lie in these winners' folders; 1 where each is the only one."""
    return max(_searches_beside(winner.sweep.folder) for winner in winners)


def _searches_beside(folder: Path) -> int:
    if not is_repeated_search(folder):
        return 1
    return sum(is_repeated_search(other) for other in folder.parent.iterdir())
