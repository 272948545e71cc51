"""The searches of a report by what they tuned: several of one choice belong together."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cnnsweep.folders.sweep_folder import is_repeated_search
from cnnsweep.report.read.run_record import Run
from cnnsweep.report.read.sweeps import Sweep
from cnnsweep.report.stats.group_keys import like_keys
from cnnsweep.report.stats.grouping import stratum_of
from cnnsweep.report.stats.metric import Metric, objective_of


@dataclass(frozen=True, slots=True)
class Searched:
    """One or several searches of one thing, mostly an architecture.

    ``objective`` is None where there are several objectives, or no run has a value of it.
    """

    label: str
    stratum: str  # data, split and epochs where searches differ in them
    sweeps: list[Sweep]
    objective: Metric | None

    @property
    def name(self) -> str:
        """The label, with the stratum where there are several."""
        return self.label + (f" ({self.stratum})" if self.stratum else "")


def trials_of(sweep: Sweep) -> list[list[Run]]:
    """The runs of each trial, one for each of its seeds; in order of the trials' numbers."""
    trials: dict[tuple[int, Path], list[Run]] = defaultdict(list)
    for run in sweep.runs:
        if run.role == "search":
            lone = Path() if run.trial is not None else run.folder
            trials[-1 if run.trial is None else run.trial, lone].append(run)
    return [trials[key] for key in sorted(trials)]


def searched(sweeps: Sequence[Sweep]) -> list[Searched]:
    """All searches that have trials, in the order of their folders."""
    members: dict[Path, list[Sweep]] = defaultdict(list)
    for sweep in sorted(sweeps, key=lambda sweep: sweep.folder):
        if sweep.searched and any(run.role == "search" for run in sweep.runs):
            together = is_repeated_search(sweep.folder)
            members[sweep.folder.parent if together else sweep.folder].append(sweep)
    firsts = {place: _first(own) for place, own in members.items()}
    like = like_keys(list(firsts.values()), ["model"]) if firsts else []
    strata = {place: stratum_of(first, like) for place, first in firsts.items()}
    labels = _labels(members, firsts, strata)
    return [
        Searched(labels[place], strata[place], own, _objective(own))
        for place, own in members.items()
    ]


def _first(sweeps: Sequence[Sweep]) -> Run:
    """A run that tells what all trials have in common; one with a result, where there is one."""
    runs = [run for sweep in sweeps for run in sweep.runs if run.role == "search"]
    return next((run for run in runs if run.result.get("objective") is not None), runs[0])


def _labels(
    members: dict[Path, list[Sweep]], firsts: dict[Path, Run], strata: dict[Path, str]
) -> dict[Path, str]:
    """The architecture where that tells the searches apart, else the folder's name, else more."""
    models = {
        place: str(firsts[place].value("model"))
        for place, own in members.items()
        if len(found := {run.value("model") for sweep in own for run in sweep.runs}) == 1
        and None not in found
    }
    for names in (models, {place: place.name for place in members}):
        told = Counter((name, strata[place]) for place, name in names.items())
        if len(names) == len(members) and max(told.values(), default=0) == 1:
            return names
    return {place: "/".join(place.parts[-2:]) for place in members}


def _objective(sweeps: Sequence[Sweep]) -> Metric | None:
    runs = [run for sweep in sweeps for run in sweep.runs if run.role == "search"]
    has_values = any(run.result.get("objective") is not None for run in runs)
    return objective_of(runs) if has_values else None
