"""What the searches of a sweep had of others before their first trial, which explains results."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cnnsweep.folders.winner import in_order
from cnnsweep.report.answer.beforehand import named_trials, unfair
from cnnsweep.report.read.given_trials import Beforehand, beforehand, given_points
from cnnsweep.report.read.sweeps import Sweep

_ALONE = "the whole sweep"


@dataclass(frozen=True, slots=True)
class Given:
    """What one search was given; ``points`` are those that it tried first."""

    place: str
    before: Beforehand
    points: int

    def __bool__(self) -> bool:
        return bool(self.before.warm_start or self.before.points_of or self.points)

    def sentence(self) -> str:
        """All of it."""
        said = []
        if self.before.warm_start:
            said.append(f"the sampler knew {named_trials(self.before.warm_start)} (warm start)")
        if self.points:
            are = "point was" if self.points == 1 else "points were"
            said.append(f"{self.points} {are} given and tried first")
        if (more := self.before.points_of) > 0:
            trials = "trial" if more == 1 else "trials"
            said.append(f"the winner is one of those, chosen among {more} more {trials} elsewhere")
        return f"{self.place}: {', '.join(said) if said else 'nothing'}"

    def as_plain(self) -> dict[str, Any]:
        """What JSON holds."""
        return {
            "search": self.place,
            "warm_start": dict(self.before.warm_start),
            "points": self.points,
            "points_of": self.before.points_of,
        }


def given(sweeps: Iterable[Sweep], folder: Path) -> list[Given]:
    """What each search below a folder was given that was given anything."""
    found = [_given(place_of(one.folder, folder), one) for one in sweeps if one.searched]
    return sorted(filter(None, found), key=lambda one: in_order(Path(one.place)))


def given_lines(
    found: Mapping[str, Sequence[Given]], sweeps: Sequence[Sequence[Sweep]]
) -> list[str]:
    """Sentences on sides, by name, with the sweeps of each; none where nothing was given."""
    if not any(found.values()):
        return []
    told = {name: "; ".join(one.sentence() for one in ones) for name, ones in found.items()}
    lines = [f"Given beforehand in {name}: {said or 'nothing'}." for name, said in told.items()]
    return [*lines, *filter(None, [unfair([[s for s in own if s.searched] for own in sweeps])])]


def place_of(search: Path, folder: Path) -> str:
    """The place of a search below a sweep's folder."""
    return _ALONE if search == folder else str(search.relative_to(folder))


def _given(place: str, sweep: Sweep) -> Given:
    return Given(place, beforehand(sweep), len(given_points(sweep)))
