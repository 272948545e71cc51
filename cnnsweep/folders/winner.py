"""The run that a folder stands for: a run's own, or the best one of a sweep."""

import json
from collections.abc import Iterator, Mapping
from math import fsum
from pathlib import Path
from typing import Any, NamedTuple

from cnnsweep.dotted_keys import leaves, look_up
from cnnsweep.errors import UserError
from cnnsweep.folders.not_final import since_not_over
from cnnsweep.folders.run_folder import RunFolder
from cnnsweep.folders.sweep_folder import (
    CONFIRM,
    FORMER_CONFIRM,
    SEARCH,
    SWEEP_MARKS,
    SweepFolder,
    numbered,
    results_below,
    searches_in,
    seed_runs,
)
from cnnsweep.metric_names import DIRECTIONS, best_first


class Chosen(NamedTuple):
    """A run folder, and a line on why it was taken; None where it is the folder itself."""

    run: Path
    said: str | None


class _Search(NamedTuple):
    """A search of a choice: its folder, its results, and its completed confirmation runs."""

    choice: str
    folder: Path
    results: dict[str, Any]
    confirmed: "list[_Found]"

    def value(self) -> float:
        """The mean objective of the confirmation runs; without any, that of the best trial."""
        return _mean(self.confirmed) if self.confirmed else float(self.results["best_value"])


class _Found(NamedTuple):
    """A completed run of a sweep: its place below it, its config, its objective and its value."""

    place: Path
    config: dict[str, Any]
    metric: str
    value: float


def chosen_run(folder: Path) -> Chosen:
    """The run folder itself; of a sweep's folder the best run, wherever the folder lies now.

    Of a search that is its winner, of a comparison the choice with the best confirmation runs (by
    the objective; without any, by the searches' best values). Several searches of one choice count
    by the mean of theirs, and the best of them is taken. Of a grid, or a search that is not
    over, it is the best completed job; jobs that differ in their seed alone count as one, by their
    mean. Of a trial's or a job's several seeds it is the first.

    Raises:
        UserError: the folder holds neither a run nor a sweep, or a sweep without a single best run.
    """
    if RunFolder(folder).config.exists():
        return Chosen(folder, None)
    sweep = SweepFolder(folder)
    results = sweep.read_results()
    if results is not None:
        if "best_folder" in results:
            trial = _winner(folder, results)
            return Chosen(_first_seed(trial), f"{folder}: trial {trial.name}, its winner, is taken")
        return _of_choices(folder, results)
    if any((folder / mark).exists() for mark in SWEEP_MARKS) or numbered(folder, SEARCH):
        return _best_job(folder)
    if seed_runs(folder):
        run = _first_seed(folder)
        return Chosen(run, f"{folder}: {run.name}, its first seed, is taken")
    if not folder.exists():
        raise UserError(f"{folder}: there is no such folder; allowed is that of a run or a sweep")
    raise UserError(f"{folder} holds neither a run nor a sweep: allowed is the folder of one")


def _first_seed(trial: Path) -> Path:
    runs = [trial, *seed_runs(trial)]
    having = [run for run in runs if RunFolder(run).best.exists()]
    having += [run for run in runs if RunFolder(run).config.exists()]
    if not having:
        raise UserError(f"{trial} is the best trial of its sweep, and holds no run")
    return having[0]


def _winner(sweep: Path, results: Mapping[str, Any]) -> Path:
    """The winner's folder; as it was written it may be another machine's."""
    if results["best_folder"] is None:
        raise UserError(f"{sweep} has no best trial: none was completed")
    return sweep / Path(str(results["best_folder"])).name


def _of_choices(sweep: Path, results: dict[str, Any]) -> Chosen:
    """A comparison's best choice."""
    if "solutions" in results:
        folders = [s["folder"] if isinstance(s, dict) else s for s in results["solutions"]]
        named = ", ".join(str(sweep / Path(str(f)).name) for f in folders if f is not None)
        front = "a front of several objectives: name one of"
        raise UserError(f"{sweep} has no single best trial, but {front} {named}")
    searches = list(_searches(sweep, results))
    if any("best_folder" not in search.results for search in searches):
        named = ", ".join(str(search.folder) for search in searches)
        raise UserError(f"{sweep} has no single best trial: name one of {named}")
    completed = [search for search in searches if search.results["best_folder"] is not None]
    if not completed:
        raise UserError(f"{sweep} has no best trial: none was completed")
    compared = [one for one in completed if one.confirmed] or completed
    first = _first_seed(_winner(compared[0].folder, compared[0].results))
    return _best_search(sweep, compared, _metric(RunFolder(first).read_config() or {}, sweep))


def _best_search(sweep: Path, searches: list[_Search], metric: str) -> Chosen:
    """The winner of the best search of the best choice, whose value is its searches' mean."""
    is_maximized = _is_maximized(sweep, metric)
    choices: dict[str, list[_Search]] = {}
    for search in searches:
        choices.setdefault(search.choice, []).append(search)
    means = {key: fsum(s.value() for s in own) / len(own) for key, own in choices.items()}
    choice = _best(means, is_maximized)
    own = {search.folder.name: search for search in choices[choice]}
    best = own[_best({name: search.value() for name, search in own.items()}, is_maximized)]
    trial, runs = _winner(best.folder, best.results), sum(len(s.confirmed) for s in own.values())
    noun = "searches" if choice.startswith(SEARCH) else "choices"
    said = f"trial {trial.name} of {trial.parent.relative_to(sweep)} is taken, the best of "
    said += f"{len(means)} {noun} by {metric} in "
    said += f"{f'{runs} confirmation runs' if runs else 'its search'} ({means[choice]:.4g})"
    several = f", and of its {len(own)} searches ({best.value():.4g})" if len(own) > 1 else ""
    return Chosen(_first_seed(trial), f"{sweep}: {said}{several}")


def _searches(sweep: Path, results: dict[str, Any]) -> Iterator[_Search]:
    """Those of a comparison, one or several for each choice, or the several of one sweep."""
    for choice, one in searches_in(results).items():
        for name, own in (searches_in(one) or {"": one}).items():
            folder = sweep / choice / name
            yield _Search(choice, folder, own, list(_completed(folder / CONFIRM)))


def _best_job(sweep: Path) -> Chosen:
    """The best completed run of a grid, or of a search that is not over."""
    found = [one for one in _completed(sweep) if not _is_confirming(one.place)]
    if not found:
        raise UserError(_why_none(sweep))
    metrics = {one.metric for one in found}
    if len(metrics) > 1:
        raise UserError(
            f"{sweep} has runs with several objectives ({', '.join(sorted(metrics))}), and no "
            "single best one: name the folder of one"
        )
    repeats: dict[str, list[_Found]] = {}
    for one in found:
        known = {key: value for key, value in leaves(one.config).items() if key != "seed"}
        repeats.setdefault(json.dumps(known, sort_keys=True, default=str), []).append(one)
    values = {key: _mean(runs) for key, runs in repeats.items()}
    (metric,) = metrics
    best = _best(values, _is_maximized(sweep, metric))
    runs, reached = repeats[best], f"{metric} {values[best]:.4g}"
    is_search = look_up(_recorded(sweep), "hydra.sweeper.n_trials") is not None
    so_far = since_not_over((sweep / one.place for one in found), is_search=is_search)
    if len(runs) > 1:
        reached += f", the mean of {len(runs)} seeds, of which this is the first"
    return Chosen(
        sweep / runs[0].place,
        f"{sweep}: run {runs[0].place} is taken, the best of {len(repeats)} completed settings"
        f"{so_far} ({reached})",
    )


def _why_none(sweep: Path) -> str:
    """Why no run of a sweep is the best."""
    over = next(_over(sweep), None)
    if over is None:
        return f"{sweep} has no completed run with an objective yet: name another folder"
    return (
        f"{sweep} has no best run: those that are completed have no objective, as without "
        f"validation images (data.val_fraction=0); name one of them, such as {over[0].path}"
    )


def _completed(folder: Path) -> Iterator[_Found]:
    """The completed runs below a folder that have one number as their objective, by place."""
    for run, result in _over(folder):
        config = run.read_config()
        if config is None:
            continue
        metric, value = _metric(config, folder), result.get("objective")
        if isinstance(value, int | float) and value == value:  # not NaN
            yield _Found(run.path.relative_to(folder), config, metric, float(value))


def _over(folder: Path) -> Iterator[tuple[RunFolder, dict[str, Any]]]:
    """The completed runs below a folder, by place, and their results."""
    places = results_below(folder)
    for place in sorted(places, key=in_order):
        run = RunFolder(folder / place)
        result = run.read_result()
        if result is not None and result.get("status") == "completed":
            yield run, result


def in_order(place: Path) -> list[tuple[int, str]]:
    """Numbers by size, at any depth."""
    return [(int(part) if part.isdecimal() else -1, part) for part in place.parts]


def _is_confirming(place: Path) -> bool:
    former = FORMER_CONFIRM.format("")
    return any(part == CONFIRM or part.startswith(former) for part in place.parts)


def _metric(config: Mapping[str, Any], sweep: Path) -> str:
    """The one objective of a run."""
    named = config.get("objective")
    names = named if isinstance(named, list) else [named]
    if len(names) != 1:
        raise UserError(
            f"{sweep} has several objectives ({', '.join(map(str, names))}), and no single best "
            "run: name the folder of one"
        )
    return str(names[0])


def _is_maximized(sweep: Path, metric: str) -> bool:
    typed = look_up(_recorded(sweep), "hydra.sweeper.direction")
    way = typed if isinstance(typed, str) else DIRECTIONS.get(metric, "minimize")
    return way == "maximize"


def _recorded(sweep: Path) -> dict[str, Any]:
    return SweepFolder(sweep).read_config() or {}


def _mean(runs: list[_Found]) -> float:
    return fsum(run.value for run in runs) / len(runs)


def _best(values: Mapping[str, float], is_maximized: bool) -> str:
    """The key of the best value, of equal ones the first."""
    return best_first(values, values.__getitem__, "maximize" if is_maximized else "minimize")[0]
