"""The points that each search of a sweep is to try first, of a file or of an earlier sweep."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from cnnsweep.errors import UserError, and_more
from cnnsweep.folders.run_folder import RunFolder
from cnnsweep.metric_names import best_first
from cnnsweep.rules import as_typed
from cnnsweep.sweep.earlier.chosen import counts_of
from cnnsweep.sweep.earlier.default_config import default_config
from cnnsweep.sweep.earlier.launched import given_before, is_launched
from cnnsweep.sweep.earlier.points_file import POINTS_KEY, Row, read_points, refuse_header
from cnnsweep.sweep.earlier.runs import COMPLETED, EarlierTrial, read_trials
from cnnsweep.sweep.machine.workers import counted
from cnnsweep.sweep.spec.compose import SweepContext
from cnnsweep.sweep.spec.plan import Given, Plan
from cnnsweep.sweep.spec.samplers import is_grid_sampler
from cnnsweep.sweep.spec.settings import Settings
from cnnsweep.sweep.spec.space.points import identity
from cnnsweep.sweep.spec.space.search_space import SearchSpace
from cnnsweep.sweep.spec.space.values import typed_value, written

Point = dict[str, Any]


def with_given_points(
    context: SweepContext, settings: Settings, plans: Sequence[Plan]
) -> list[Plan]:
    """The plans, each with the points that it is to try first.

    A file or folder that is gone by now is no reason to refuse a later launch: the studies have
    recorded what was in it.

    Raises:
        UserError: one of the points is not in the space, or there are too many.
    """
    if settings.points is None:
        return list(plans)
    if is_grid_sampler(settings.sampler):
        raise UserError(
            f"{POINTS_KEY}={settings.points}: hydra/sweeper/sampler=grid goes through its whole "
            "grid, in an order of its own: leave one of the two out"
        )
    path = Path(settings.points)
    if not path.exists():
        if settings.points in given_before(plans, POINTS_KEY):
            return list(plans)
        raise UserError(f"{POINTS_KEY}={path}: there is no such file or folder")
    group = next(map(str, settings.compare or {}), None)
    if path.is_dir():
        if not context.is_our_task:
            raise UserError(
                f"{POINTS_KEY}={path}: a folder's runs must be cnnsweep's own, and these are "
                "another app's; allowed is a file of points"
            )
        given = _of_sweep(path, context.folder, plans, group)
    else:
        given = _of_file(path, plans, group)
    found = [replace(plan, given=one) for plan, one in zip(plans, given, strict=True)]
    for plan in found:
        if not is_launched(plan):  # else what was begun counts as well, see enqueue_first
            _check_number(plan, settings, context)
    return found


def _check_number(plan: Plan, settings: Settings, context: SweepContext) -> None:
    assert plan.given is not None
    number, also = len(plan.given.points), ""
    if plan.search_number or plan.given.may_be_cut:
        return
    default, _ = default_config(plan, settings, context)
    if default is not None and identity(default) not in map(identity, plan.given.points):
        number, also = number + 1, " and the default config comes before them"
    if number > plan.n_trials:
        points = counted(len(plan.given.points), "point")
        raise UserError(
            f"{POINTS_KEY}: {plan.given.source} has {points}{also}, which is more than "
            f"hydra.sweeper.n_trials={plan.n_trials}: allowed are {number} trials or more"
        )


def _of_file(path: Path, plans: Sequence[Plan], group: str | None) -> list[Given]:
    rows = read_points(path)
    spaces = {plan.choice: plan.space for plan in plans}
    names = [
        *([group] if group else []),
        *(n for one in spaces.values() for n in one.distributions),
    ]
    refuse_header(path, rows, [*dict.fromkeys(name.lstrip("+") for name in names)])
    fitting: dict[str, list[tuple[Row, Point]]] = {choice: [] for choice in spaces}
    left_out: dict[str, Counter[str]] = {choice: Counter() for choice in spaces}
    for row in rows:
        found = {choice: _fitted(row.values, choice, spaces, group) for choice in spaces}
        points = {choice: one for choice, one in found.items() if isinstance(one, dict)}
        wrong = next((one for one in found.values() if isinstance(one, str) and one), None)
        if not points:
            options = f"{group} is none of {', '.join(spaces)}: {_option(row.values, group)}"
            raise UserError(f"{row.place}: {wrong or options}")
        for choice, point in points.items():
            same = [one for one, other in fitting[choice] if identity(other) == identity(point)]
            if same:
                raise UserError(f"{row.place} is the point of {same[0].place.rpartition(', ')[2]}")
            fitting[choice].append((row, point))
        for choice, one in found.items():
            left_out[choice].update([one] if isinstance(one, str) and one else [])
    lines = {choice: _lines("row", path, counts) for choice, counts in left_out.items()}
    points_of = {choice: tuple(point for _, point in rows) for choice, rows in fitting.items()}
    return [Given(str(path), points_of[p.choice], lines=lines[p.choice]) for p in plans]


def _fitted(
    values: Mapping[str, Any], choice: str, spaces: Mapping[str, SearchSpace], group: str | None
) -> Point | str:
    """A row as the space of a choice draws it, or why it doesn't fit; "": it is another choice's.

    A row that names no choice is for each whose space has its keys.
    """
    option = None if group is None else _option(values, group)
    if option is not None and written(typed_value(option)) != written(typed_value(choice)):
        return ""
    names = {name.lstrip("+"): name for name in spaces[choice].distributions}
    own = {names.get(k.lstrip("+"), k): v for k, v in values.items() if k.lstrip("+") != group}
    why_not = spaces[choice].why_not(own)
    return spaces[choice].drawn(own) if why_not is None else why_not


def _option(values: Mapping[str, Any], group: str | None) -> str | None:
    return as_typed(values[group]) if group is not None and group in values else None


def _of_sweep(path: Path, itself: Path, plans: Sequence[Plan], group: str | None) -> list[Given]:
    trials = read_trials(path, POINTS_KEY, itself)
    best_first = _best_first(path, trials)
    not_over = [trial for trial in trials if trial not in best_first]
    found: list[Given] = []
    for plan in plans:
        points: dict[str, Point] = {}
        left_out: dict[str, int] = {}
        compared: list[RunFolder] = []
        for trial in (*best_first, *not_over):
            if group is not None and trial.choices.get(group) != plan.choice:
                continue
            values = values_in(plan.space, trial)
            why_not = why_no_point(plan.space, values)
            if why_not is None:
                compared.append(trial.run)
                why_not = _no_value(trial)
            if why_not is None:
                point = plan.space.drawn(values)
                points.setdefault(identity(point), point)
            else:
                left_out[why_not] = left_out.get(why_not, 0) + 1
        lines, counts = _lines("trial", path, left_out), counts_of(compared)
        given = tuple(points.values())
        found.append(Given(str(path), given, may_be_cut=True, lines=lines, chosen_of=counts))
    if not any(one.points for one in found):
        why = next((line.partition("left out: ")[2] for one in found for line in one.lines), None)
        raise UserError(
            f"{POINTS_KEY}={path}: no trial of it is in this space: "
            f"{why or f'it has no such {group}'}"
        )
    return found


def _best_first(path: Path, trials: Sequence[EarlierTrial]) -> list[EarlierTrial]:
    """The completed trials of one objective; equally good ones in the order of their folders."""
    completed = [t for t in trials if t.status == COMPLETED and t.values is not None]
    objectives = {(*trial.objectives, *trial.direction) for trial in completed}
    if not completed:
        raise UserError(f"{POINTS_KEY}={path} has no completed trial with an objective")
    if len(objectives) > 1 or len(completed[0].objectives) > 1:
        raise UserError(f"{POINTS_KEY}={path} has several objectives, and no trial is its best")
    return best_first(completed, lambda t: (t.values or [0.0])[0], completed[0].direction[0])


def _no_value(trial: EarlierTrial) -> str | None:
    """Why a trial cannot be told from better and worse ones; None: it can."""
    if trial.status != COMPLETED:
        return f"{trial.status}, without a final value"
    return "its objective is no number" if trial.values is None else None


def values_in(space: SearchSpace, trial: EarlierTrial) -> Point:
    """The values that an earlier trial set those keys to that the space draws, as far as it did."""
    found = {name: trial.value_of(name) for name in space.distributions}
    values = {name: value[0] for name, value in found.items() if value}
    return {name: values[name] for name in space.active(values) if name in values}


def why_no_point(space: SearchSpace, values: Mapping[str, Any]) -> str | None:
    """Why values are no whole point of the space, in words; None: they are."""
    absent = space.absent(values)
    return f"no {', '.join(absent)}" if absent else space.why_not(values)


def _lines(noun: str, path: Path, left_out: Mapping[str, int]) -> tuple[str, ...]:
    """A line on what is left out, whose reasons come with their numbers; none where nothing is."""
    number = sum(left_out.values())
    counts = [f"{one} ({times})" for one, times in left_out.items()]
    why = and_more([*left_out] if len(left_out) == 1 else counts, 3, between="; ")
    return (f"{POINTS_KEY}: {counted(number, noun)} of {path} left out: {why}",) if number else ()
