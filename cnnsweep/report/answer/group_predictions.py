"""The predictions of a few runs of each of the best groups: files of thousands of lines each."""

from collections import defaultdict
from collections.abc import Iterable
from itertools import zip_longest

from cnnsweep.report.read.predictions import PredictionFiles, Predictions
from cnnsweep.report.read.run_record import Run
from cnnsweep.report.stats.grouping import Group, Grouping

MOST_GROUPS = 6
MOST_RUNS = 5  # of a group


def shown_groups(grouping: Grouping) -> list[Group]:
    """The best groups of each stratum, as many in all as there is room for."""
    strata = list(grouping.strata().values())
    each = max(1, MOST_GROUPS // max(len(strata), 1))
    return [group for groups in strata[:MOST_GROUPS] for group in groups[:each]]


def predictions_of(runs: Iterable[Run], files: PredictionFiles) -> list[tuple[Run, Predictions]]:
    """Of a few runs that have any, those that can be read; runs of several searches take turns."""
    with_images = [run for run in _in_turns(runs) if run.images][:MOST_RUNS]
    read = [(run, files.get(run)) for run in with_images]
    return [(run, own) for run, own in read if own is not None]


def _in_turns(runs: Iterable[Run]) -> list[Run]:
    """In the order of their seeds; runs of several searches take turns."""
    searches: dict[object, list[Run]] = defaultdict(list)
    for run in sorted(runs, key=lambda run: str(run.seed)):
        searches[run.search].append(run)
    return [run for turn in zip_longest(*searches.values()) for run in turn if run is not None]
