"""What a finished search leaves: optimization_results.yaml and the last lines."""

import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from omegaconf import OmegaConf
from optuna.trial import FrozenTrial

from cnnsweep.folders.run_folder import BEST, LAST, write_text_whole
from cnnsweep.folders.sweep_folder import (
    BUDGET,
    ENDED_BY,
    NO_POINTS,
    NO_TRIALS,
    RESULTS,
    TIMEOUT,
    seed_runs,
)
from cnnsweep.rules import as_typed
from cnnsweep.sweep.earlier.beforehand import beforehand, lines_on_known
from cnnsweep.sweep.earlier.others import better_of_others, said_of
from cnnsweep.sweep.freeze_thaw.paused import is_paused
from cnnsweep.sweep.gain import compared_with, gain_lines
from cnnsweep.sweep.journal.theirs import ours
from cnnsweep.sweep.several_searches import (
    lacks_time,
    line_to_go_on,
    lines_over_searches,
    timeout_lines,
)
from cnnsweep.sweep.spec.formatting import PLUS_MINUS, format_params, format_value
from cnnsweep.sweep.spec.plan import FOLDER, Plan
from cnnsweep.sweep.spec.space.values import typed_value
from cnnsweep.sweep.study.confirmation import spread, winner
from cnnsweep.sweep.study.search import Search
from cnnsweep.sweep.study.tried import counted_trials


def write_results(sweep: Path, searches: list[Search]) -> None:
    """Write the results as Hydra's own sweeper does, and more.

    A comparison's sweep folder gets those of all its searches, by choice; where each choice is
    searched several times, so does its folder, by search.
    """
    whole: dict[str, Any] = {}
    for search in searches:
        plan, results = search.plan, _results(search)
        write_text_whole(plan.folder / RESULTS, _as_text(results))
        if plan.search_number is None:
            whole[plan.subfolder] = results
        else:
            beside = whole.setdefault(plan.choice, {}) if plan.choice else whole
            beside[plan.folder.name] = results
    if whole.keys() == {""}:
        return
    for choice in {search.plan.choice for search in searches if search.plan.search_number == 0}:
        write_text_whole(sweep / choice / RESULTS, _as_text(whole[choice] if choice else whole))
    write_text_whole(sweep / RESULTS, _as_text(whole))


def result_lines(searches: list[Search]) -> list[str]:
    """The lines that the terminal shows in the end."""
    if searches[0].plan.search_number is None:
        lines = [line for search in searches for line in _lines(search)]
    else:
        lines = list(_repeated_lines(searches))
    meaning = [PLUS_MINUS] if any("±" in line for line in lines) else []
    return [*lines, *meaning, *timeout_lines(searches), *_paused_lines(searches)]


def _repeated_lines(searches: list[Search]) -> Iterator[str]:
    """A line on each of several searches, and on what they come to for each choice."""
    for choice in dict.fromkeys(search.plan.choice for search in searches):
        repeated = [search for search in searches if search.plan.choice == choice]
        is_single = len(repeated[0].plan.objectives) == 1
        for search in repeated:
            yield from [_short_line(search)] if is_single else _lines(search)
        if is_single:
            yield from lines_over_searches(choice, repeated)


def are_written(searches: list[Search]) -> bool:
    """Whether another launch wrote the results of these searches as they are now.

    A launch with fewer ``n_trials``, or whose ``timeout`` was over, may have written earlier ones.
    """
    return all(map(_is_written, searches))


def withdraw_results(sweep: Path, searches: list[Search]) -> None:
    """Remove an earlier launch's results, which mark a finished sweep: there is more to do."""
    choices = {sweep / search.plan.choice for search in searches}
    for folder in {sweep, *choices, *(search.plan.folder for search in searches)}:
        (folder / RESULTS).unlink(missing_ok=True)


def _is_written(search: Search) -> bool:
    file = search.plan.folder / RESULTS
    is_same = file.exists() and file.read_text(encoding="utf-8") == _as_text(_results(search))
    return is_same and search.confirmation.is_of_the_winner()


def _as_text(results: dict[str, Any]) -> str:
    return OmegaConf.to_yaml(OmegaConf.create({"name": "optuna"} | results))


def _results(search: Search) -> dict[str, Any]:
    found = _front(search) if len(search.plan.objectives) > 1 else _best(search)
    return found | search.plan.decides | {ENDED_BY: _ended_by(search)}


def _ended_by(search: Search) -> str:
    """What ended the search: its points, its number of trials, its budget, or else its timeout."""
    if lacks_time(search):
        return TIMEOUT
    if _paused(search):
        return BUDGET
    return NO_POINTS if search.asker.is_gone_through() else NO_TRIALS


def _lines(search: Search) -> list[str]:
    lines = _front_lines(search) if len(search.plan.objectives) > 1 else _best_lines(search)
    return [f"{search.plan.prefix}{line}" for line in lines]


def _best(search: Search) -> dict[str, Any]:
    best = winner(search.study)
    known = beforehand(search.study, search.plan, best)
    if best is None:
        return dict.fromkeys(("best_params", "best_value", "best_trial", "best_folder")) | known
    return {
        "best_params": _typed(search, best),
        "best_value": best.value,
        "best_trial": best.number,
        "best_folder": _folder(search, best),
        **compared_with(search, best),
        **known,
    }


def _short_line(search: Search) -> str:
    best = winner(search.study)
    if best is None:
        return f"{search.plan.prefix}no trial was completed"
    line = f"{search.plan.prefix}trial {best.number} ({format_params(search.plan.params(best))}), "
    line += f"{search.plan.objectives[0]} {format_value(best.value)}, best of "
    line += counted_trials(search.study)
    return line + _on_test(search)


def _on_test(search: Search) -> str:
    tested = search.confirmation.test_metrics() if search.confirmation.wanted else []
    is_test = search.confirmation.metric().startswith("test_")
    return f" · {'test' if is_test else 'fresh seeds'} {spread(tested)}" if tested else ""


def _best_lines(search: Search) -> list[str]:
    best, others = winner(search.study), better_of_others(search.study)
    other = None if others is None else said_of(others, search.plan)
    if best is None:
        return [
            "no trial was completed"
            if other is None
            else f"best: {other}; none of ours was completed",
            *lines_on_known(search.study, search.plan, None),
        ]
    metric = search.plan.objectives[0]
    split = "validation best" if metric.startswith("val_") else f"best {metric}"
    line = f"{split} {format_value(best.value)} (best of {counted_trials(search.study)})"
    drawn = search.plan.params(best).items()
    settings = shlex.join(f"{name}={as_typed(value)}" for name, value in drawn)
    named = "best: " if other is None else f"best: {other}; best of ours: "
    return [
        f"{named}trial {best.number} ({format_params(search.plan.params(best))})",
        line + _on_test(search),
        f"its settings in full: {settings}",
        *lines_on_known(search.study, search.plan, best),
        *gain_lines(search),
    ]


def _front(search: Search) -> dict[str, Any]:
    solutions = [
        {
            "params": _typed(search, trial),
            "values": list(trial.values),
            "trial": trial.number,
            "folder": _folder(search, trial),
        }
        for trial in ours(search.study).best_trials
    ]
    return {"solutions": solutions} | beforehand(search.study, search.plan, None)


def _front_lines(search: Search) -> list[str]:
    front = ours(search.study).best_trials
    lines = [f"Pareto front: {len(front)} of {counted_trials(search.study)}"]
    for trial in front:
        metrics = zip(search.plan.objectives, trial.values, strict=True)
        said = ", ".join(f"{name} {format_value(value)}" for name, value in metrics)
        lines.append(f"  trial {trial.number}: {said} ({format_params(search.plan.params(trial))})")
    return lines


def _typed(search: Search, trial: FrozenTrial) -> dict[str, Any]:
    """What a trial sets: the choice `null` is null, and no text."""
    return {name: typed_value(v) for name, v in search.plan.params(trial).items()}


def _folder(search: Search, trial: FrozenTrial) -> str:
    return str(search.plan.folder / str(trial.user_attrs[FOLDER]))


def _paused(search: Search) -> list[FrozenTrial]:
    return [trial for trial in search.study.get_trials(deepcopy=False) if is_paused(trial)]


def _paused_lines(searches: list[Search]) -> list[str]:
    """How many trials can go on, from which checkpoints, and how."""
    waiting = [(search.plan, trial) for search in searches for trial in _paused(search)]
    if not waiting:
        return []
    megabytes = sum(_bytes(plan, trial) for plan, trial in waiting) / 1e6
    subject = f"{len(waiting)} trials are" if len(waiting) > 1 else "1 trial is"
    return [
        f"{subject} paused, with {megabytes:.3g} MB of checkpoints; to train on all of them:",
        f"  {line_to_go_on(searches[0].plan, 'hydra.sweeper.pruner.budget=1')}",
    ]


def _bytes(plan: Plan, trial: FrozenTrial) -> int:
    """The size of a trial's checkpoints."""
    place = plan.place(trial)
    names = (LAST, BEST) if plan.checkpoint is None else (plan.checkpoint,)
    files = [run / name for run in (place, *seed_runs(place)) for name in names]
    return sum(path.stat().st_size for path in files if path.exists())
