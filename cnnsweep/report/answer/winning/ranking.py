"""Architectures that were tuned, ranked: settings, mean with its interval, spread, cost."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

from cnnsweep.errors import and_more
from cnnsweep.folders.sweep_folder import is_repeated_search
from cnnsweep.metric_names import duration
from cnnsweep.report.answer.block import Block
from cnnsweep.report.answer.winning.winners import (
    Winner,
    costs,
    shown_trials,
    unequal_budgets,
    without_copies,
)
from cnnsweep.report.stats.group_keys import like_keys
from cnnsweep.report.stats.grouping import stratum_of
from cnnsweep.report.stats.intervals import FEWEST, half_width, mean_deviation
from cnnsweep.report.stats.metric import TEST_ACCURACY, Metric

_COLUMNS = ("95 % interval", "sd", "n", "trials", "search", "one run")
_SETTINGS = "settings of the (best) winner"


@dataclass(frozen=True, slots=True)
class Ranked:
    """A network with the winners of its searches, best first.

    ``values`` are of its confirmation runs on the test split, of several searches each confirmed
    search's mean; where ``is_tested`` is false, each search's best validation value.
    """

    name: str
    winners: list[Winner]
    values: list[float]
    is_tested: bool

    @property
    def mean(self) -> float:
        """The mean of its values."""
        return fmean(self.values)

    @property
    def objective(self) -> float:
        """The mean over its searches of the confirmation objective, else of the best value."""
        return fmean(fmean(winner.confirmed or [winner.best]) for winner in self.winners)

    @property
    def several(self) -> bool:
        """Whether each value is of another search."""
        return len(self.winners) > 1

    @property
    def untested(self) -> list[str]:
        """The searches whose winners no confirmation run has tested."""
        return [winner.sweep.name for winner in self.winners if not winner.test]

    @property
    def what(self) -> str:
        """What the values are of, as it stands after their number."""
        if not self.several:
            return "fresh seeds"
        return "searches" if len(self.values) > 1 else "search"

    @property
    def n(self) -> str:
        """How many values there are, and of what."""
        return f"{len(self.values)} {self.what}" if self.several else str(len(self.values))

    @property
    def half(self) -> float | None:
        """Half of the mean's 95 % interval; None where there is none, or luck was chosen."""
        half = half_width(mean_deviation(self.values)[1], len(self.values))
        return half if self.is_tested else None


@dataclass(frozen=True, slots=True)
class Ranking:
    """The networks of one kind of data and length, best first by a metric."""

    stratum: str
    metric: Metric
    networks: list[Ranked]

    @property
    def is_tested(self) -> bool:
        """Whether all were ranked by confirmation runs on the test split."""
        return all(network.is_tested for network in self.networks)

    @property
    def chosen(self) -> Ranked:
        """The network that is best by the objective, as ``from=`` the whole sweep chooses it.

        The test split, by which they are ranked, may not choose.
        """
        sign = self.networks[0].winners[0].objective.sign()
        return max(self.networks, key=lambda one: sign * one.objective)

    def sentence(self) -> str:
        """Which network is first, with which settings, and what it reached."""
        first = self.networks[0]
        winner = first.winners[0]
        if self.is_tested:
            more = f" {first.what}{self._images(winner)}"
            shown = self.metric.show_mean(first.mean, first.half, len(first.values), more)
        else:
            shown = f"{self.metric.show(first.mean)}, {_chosen(first)} and chosen by it, hence "
            shown += "optimistic"
        of = f" (of its best search, {winner.sweep.name})" if first.several else ""
        settings = f"its settings{of}: {' '.join(winner.settings)}.{self._untested()}"
        settings += unequal_budgets([w for one in self.networks for w in one.winners])
        where = self.stratum and f"{self.stratum}: "
        if len(self.networks) == 1:
            searched = f"{first.name}, searched {len(first.winners)} times"
            return f"{where}{searched}, has {self.metric.name} {shown}; {settings}"
        second = self.networks[1]
        ahead = self.metric.show_difference(abs(first.mean - second.mean))
        return (
            f"{where}{first.name} leads {len(self.networks)} tuned networks with "
            f"{self.metric.name} {shown}, {ahead} ahead of {second.name}; {settings}"
        )

    def _untested(self) -> str:
        """Which searches are not in the values, in a sentence; empty where all are."""
        names = [name for one in self.networks for name in one.untested] if self.is_tested else []
        if not names:
            return ""
        return f" Left out, since no confirmation run has tested their winners: {and_more(names)}."

    def _images(self, winner: Winner) -> str:
        images = winner.splits.test
        return "" if images is None else f", {images:,} test images"

    def block(self) -> Block:
        """The table."""
        rows = [self._row(number, one) for number, one in enumerate(self.networks, 1)]
        where = f" ({self.stratum})" if self.stratum else ""
        return Block(
            f"Networks by {self.metric.name}{where}",
            columns=["#", "network", "mean" if self.is_tested else "best", *_COLUMNS, _SETTINGS],
            rows=rows,
            caption=self._caption(),
        )

    def _row(self, number: int, one: Ranked) -> list[str]:
        metric, deviation = self.metric, mean_deviation(one.values)[1]
        half = None if one.half is None else f"± {metric.show_deviation(one.half)}"
        seconds, each = costs(one.winners)
        return [
            str(number),
            one.name,
            metric.show(one.mean),
            half or "–",
            metric.show_deviation(deviation),
            one.n,
            shown_trials(one.winners),
            duration(seconds),
            duration(each),
            " ".join(one.winners[0].settings),
        ]

    def _caption(self) -> str:
        if not self.is_tested:
            return (
                "best: a search's best validation value, of several searches their mean, hence "
                "optimistic; there is no interval before confirmation runs. search: time of all "
                "trainings; one run: of the winner."
            )
        what = "n: runs with fresh seeds, on the test split"
        if any(one.several for one in self.networks):
            what += "; of several searches each confirmed search's mean, so that ± has the luck of "
            what += "both"
        else:
            what += "; another search might find other settings, which ± does not have in it"
        return (
            f"± is half of the 95 % interval of the mean, which fewer than {FEWEST} values do not "
            f"have; sd: standard deviation of the n values. {what}. search: time of all trainings "
            "of the search; one run: of the winner."
        )


def rankings(winners: Sequence[Winner]) -> list[Ranking]:
    """A ranking for each kind of data and length for which several networks were tuned.

    One network that was searched several times is one too.
    """
    like = like_keys([winner.trial for winner in winners], ()) if winners else []
    strata: dict[str, list[Winner]] = defaultdict(list)
    for winner in without_copies(winners):
        strata[stratum_of(winner.trial, like)].append(winner)
    found = (_ranking(stratum, own) for stratum, own in sorted(strata.items()))
    return [ranking for ranking in found if ranking is not None]


def _ranking(stratum: str, winners: list[Winner]) -> Ranking | None:
    """None where one network was searched once, or not all by the same objective."""
    names: dict[str, list[Winner]] = defaultdict(list)
    for winner in winners:
        names[network_of(winner)].append(winner)
    objectives = {winner.objective for winner in winners}
    again = len(winners) > 1 and all(is_repeated_search(w.sweep.folder) for w in winners)
    if (len(names) < 2 and not again) or len(objectives) > 1:
        return None
    objective = next(iter(objectives))
    is_tested = all(any(winner.test for winner in own) for own in names.values())
    metric = TEST_ACCURACY if is_tested else objective
    sign = objective.sign()
    networks = []
    for name, own in names.items():
        own.sort(key=lambda w: _rank(w, sign, is_tested=is_tested))
        values = [fmean(w.test) for w in own if w.test] if is_tested else [w.best for w in own]
        values = own[0].test if is_tested and len(own) == 1 else values
        networks.append(Ranked(name, own, values, is_tested))
    networks.sort(key=lambda one: -metric.sign() * one.mean)
    return Ranking(stratum, metric, networks)


def _rank(winner: Winner, sign: int, *, is_tested: bool) -> tuple[bool, float]:
    """A winner's place among those of its network by validation: those that count come first."""
    fresh = winner.confirmed if is_tested else []
    return is_tested and not winner.test, -sign * fmean(fresh or [winner.best])


def network_of(winner: Winner) -> str:
    """The choice that a comparison searched, else the model."""
    if winner.launch is not None and winner.sweep.folder != winner.launch.folder:
        place = winner.sweep.folder.absolute().relative_to(winner.launch.folder.absolute())
        if not is_repeated_search(place) or len(place.parts) > 1:
            return place.parts[0]
    return str(winner.trial.value("model"))


def _chosen(one: Ranked) -> str:
    """How a network's best validation value came about."""
    among = sorted({winner.among for winner in one.winners})
    trials = f"{among[0]}{f' to {among[-1]}' if len(among) > 1 else ''} trials"
    earlier = sum(winner.beforehand.points_of for winner in one.winners)
    trials += f", {earlier} of them in sweeps that points are from" if earlier else ""
    if not one.several:
        return f"the best of {trials}"
    return f"the mean of {len(one.winners)} searches, of each the best of {trials}"
