"""The trials of an earlier sweep as their run folders have them, wherever its study is kept."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from cnnsweep.config.validation import objective_names
from cnnsweep.dotted_keys import look_up
from cnnsweep.errors import UserError
from cnnsweep.folders.run_folder import PAUSED, RESULT, RunFolder
from cnnsweep.folders.sweep_folder import (
    SEED,
    SWEEP_MARKS,
    SweepFolder,
    is_confirmation,
    is_former_confirmation,
    results_below,
    seed_runs,
    sweep_around,
)
from cnnsweep.folders.winner import in_order
from cnnsweep.metric_names import Direction
from cnnsweep.sweep.spec.settings import directions
from cnnsweep.task.recorded_command import read_command

COMPLETED, PRUNED = "completed", "pruned"
_ENDS = (COMPLETED, PRUNED, PAUSED)


@dataclass(frozen=True)
class EarlierTrial:
    """A trial of an earlier sweep, or a job of a grid, that has come to an end or is paused.

    ``config`` is the resolved one of its (first) run, ``run`` that one's folder; ``result`` is the
    trial's own, of several seeds the means.
    """

    folder: Path
    run: RunFolder
    status: str
    config: dict[str, Any]
    result: dict[str, Any]
    direction: tuple[Direction, ...]

    @property
    def objectives(self) -> list[str]:
        return objective_names(self.config.get("objective"))

    @property
    def values(self) -> list[float] | None:
        """Its objectives; None where one of them is no number."""
        found = [self.result.get(name) for name in self.objectives]
        numbers = [float(v) for v in found if isinstance(v, int | float) and v == v]
        return numbers if len(numbers) == len(found) else None

    @cached_property
    def choices(self) -> dict[str, Any]:
        """The option of each config group."""
        return read_command(self.run.path).choices

    def value_of(self, name: str) -> list[Any]:
        """What it sets a key or a config group to, in a list; [] where it has no such key.

        ``name`` is as typed: ``+key``, ``group@package``. A group whose option is nothing at all
        is null in the config.
        """
        key, absent = name.lstrip("+"), object()
        if "." not in key and key in self.choices:
            return [self.choices[key]]
        found = look_up(self.config, key.partition("@")[0], absent)
        return [] if found is absent or isinstance(found, dict) else [found]

    def curve(self) -> dict[int, float]:
        """The objective after each epoch, of several seeds its mean; {} where it isn't recorded."""
        runs = [RunFolder(run) for run in seed_runs(self.folder)] or [self.run]
        rows = [{int(row["epoch"] or 0): row for row in run.read_metrics()} for run in runs]
        name = self.objectives[0]
        curve: dict[int, float] = {}
        for epoch in sorted(set[int].intersection(*map(set, rows))):
            values = [row[epoch].get(name) for row in rows]
            numbers = [value for value in values if value is not None]
            if len(numbers) == len(values):
                curve[epoch] = sum(numbers) / len(numbers)
        return curve


def read_trials(folder: Path, key: str, itself: Path) -> list[EarlierTrial]:
    """The trials of a sweep, of a comparison, or of several searches, in the order of folders.

    Those that failed, or are at work, are left out. ``key`` is what was typed, ``itself`` the
    folder of the sweep that asks.

    Raises:
        UserError: it is no folder of a sweep, or has no such trial.
    """
    place, allowed = f"{key}: {folder}", "allowed is the folder of an earlier sweep"
    if not folder.exists():
        raise UserError(f"{place}: there is no such folder; {allowed}")
    whole = folder.resolve()
    if whole == itself or itself in whole.parents or whole in itself.parents:
        how = "is" if whole == itself else "holds" if whole in itself.parents else "lies in"
        raise UserError(f"{place} {how} the folder of this sweep itself; {allowed}")
    if RunFolder(folder).config.exists():
        raise UserError(f"{place} is the folder of a run; {allowed}")
    if not any((folder / mark).exists() for mark in SWEEP_MARKS) and sweep_around(folder) is None:
        raise UserError(f"{place} holds no sweep; {allowed}")
    found = list(_trials(folder))
    if not found:
        raise UserError(
            f"{place} has no trial of cnnsweep's that is over (completed, pruned or paused)"
        )
    return found


def _trials(folder: Path) -> Iterator[EarlierTrial]:
    places = results_below(folder)
    typed = _typed_direction(folder)
    for place in sorted(places, key=in_order):
        whole = folder / place
        is_part = whole.name.startswith(SEED) and (whole.parent / RESULT).exists()
        if is_part or is_confirmation(place) or is_former_confirmation(place):
            continue
        result = RunFolder(whole).read_result() or {}
        run = RunFolder(next(iter(seed_runs(whole)), whole))
        config = run.read_config()
        if config is None or result.get("status") not in _ENDS:
            continue
        ways = tuple(directions(typed, objective_names(config.get("objective"))))
        yield EarlierTrial(whole, run, str(result["status"]), config, result, ways)


def _typed_direction(folder: Path) -> Any:
    """``hydra.sweeper.direction`` of the sweep that a folder is, or lies in."""
    own = SweepFolder(folder).config
    root = folder if own.exists() else sweep_around(folder)
    if root is None:
        return None
    return look_up(SweepFolder(root).read_config() or {}, "hydra.sweeper.direction")
