"""Searches that are one search, in copied folders or typed twice: they count once."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path

from cnnsweep.report.read.run_record import Run
from cnnsweep.report.read.safe_io import Scalar
from cnnsweep.report.stats.group_keys import setting_of

_Trained = tuple[frozenset[tuple[str, Scalar]], Scalar]  # settings and seed


def same_searches(runs: Iterable[Run]) -> dict[Path, Path]:
    """The first of each set of equal searches, by the folders of the others.

    Searches are equal where a confirmation run of one has settings and seed of the other's, and the
    trials of one are among those of the other: a copy may be older than what it was made of.
    """
    confirmed: dict[Path, set[_Trained]] = defaultdict(set)
    tried: dict[Path, list[Run]] = defaultdict(list)
    for run in runs:
        if run.search is not None:
            confirmed[run.search].add(_trained(run))
        elif run.role == "search" and run.sweep is not None:
            tried[run.sweep].append(run)
    owners: dict[_Trained, list[Path]] = defaultdict(list)
    same: dict[Path, Path] = {}
    for search, own in confirmed.items():
        earlier = dict.fromkeys(path for one in own for path in owners[one])
        first = next((path for path in earlier if _alike(tried, path, search)), None)
        if first is not None:
            same[search] = first
        for one in own:
            owners[one].append(first or search)
    return same


def _alike(tried: Mapping[Path, list[Run]], first: Path, second: Path) -> bool:
    left, right = ({_trained(run) for run in tried.get(path, ())} for path in (first, second))
    return left <= right or right <= left


def _trained(run: Run) -> _Trained:
    return setting_of(run), run.seed


def note_on_same(same: Mapping[Path, Path]) -> list[str]:
    """What is said of searches that are equal to others."""
    if not same:
        return []
    copies = "1 search repeats" if len(same) == 1 else f"{len(same)} searches repeat"
    return [
        f"{copies} the settings and seeds of another, as the same command does and a copied "
        "folder: such searches count once."
    ]
