"""What is left to do in a folder, and what a command adds to a search, run or grid that is over."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml
from omegaconf import DictConfig, OmegaConf

from cnnsweep.config.composing.grid_jobs import is_basic, is_grid, job_overrides
from cnnsweep.errors import UserError
from cnnsweep.folders.longer import begun
from cnnsweep.folders.run_folder import RESULT, STATUSES, RunFolder
from cnnsweep.folders.sweep_folder import (
    BUDGET,
    NO_POINTS,
    TIMEOUT,
    SweepFolder,
    ends,
    is_search_trial,
)
from cnnsweep.task.longer.lengthening import EPOCHS

N_TRIALS = "hydra.sweeper.n_trials"
SEARCHES = "hydra.sweeper.searches"
PRUNER, PAUSING = "hydra/sweeper/pruner", "freeze_thaw"  # a config group, and an option of it
SHARE, AUTO = "hydra.sweeper.pruner.budget", "auto"
_FINISHED = {*STATUSES} - {"interrupted"}  # a paused trial is its search's to go on with


def is_unfinished(folder: Path) -> bool:
    """Whether there is anything to resume in the folder of a run or sweep.

    A run is finished once its result.json has a status other than `interrupted`, a grid once every
    job is completed (ours tries failed ones again, Hydra's sweeper does not), a search once its
    optimization_results.yaml is there and its timeout was not its end.
    """
    sweep = SweepFolder(folder)
    if sweep.config.exists():
        config = sweep_config(folder)
        if config is None:
            return False
        if not is_grid(config):
            results = search_results(folder)
            return results is None or TIMEOUT in ends(results)
        if not is_basic(config):
            jobs = sweep.read_jobs()
            return jobs is None or not all(map(_is_completed, jobs))
        done = sum(_is_finished(result.parent) for result in folder.rglob(RESULT))
        return done < len(job_overrides(config))
    if begun(folder) is not None:  # to be made longer
        return True
    return RunFolder(folder).config.exists() and not _is_finished(folder)


def _is_finished(folder: Path) -> bool:
    try:
        result = RunFolder(folder).read_result()
    except UserError:  # damaged: it cannot be resumed, and is no reason to refuse others
        return True
    return result is not None and result["status"] in _FINISHED


def _is_completed(folder: Path) -> bool:
    if begun(folder) is not None:
        return False
    try:
        result = RunFolder(folder).read_result()
    except UserError:
        return False
    return result is not None and result["status"] == "completed"


def adds_work(folder: Path, typed: Mapping[str, str]) -> bool:
    """Whether a finished search, run or grid has more to do with the ``typed`` values of keys."""
    if _lengthens(folder, typed):
        return True
    results, config = search_results(folder), sweep_config(folder)
    if results is None or config is None:
        return False
    return (
        _adds_searches(config, typed)
        or _adds_trials(results, config, typed)
        or _adds_epochs(folder, results, config, typed)
    )


def missing_work(typed: Mapping[str, str]) -> str:
    """What that is finished ``resume=latest`` looked for, too, as a part of a sentence."""
    epochs = f", or a run of fewer than {typed[EPOCHS]} epochs" if EPOCHS in typed else ""
    named = []
    if N_TRIALS in typed:
        named.append(f"of fewer than {typed[N_TRIALS]} trials")
    if SEARCHES in typed:
        named.append(f"that was made fewer than {typed[SEARCHES]} times")
    if SHARE in typed:
        named.append(f"that a budget below {typed[SHARE]} has ended")
    return epochs + (f", or a search {' or '.join(named)}" if named else "")


def sweep_config(folder: Path) -> DictConfig | None:
    """What a sweep recorded; None where that is damaged: ``resume=latest`` passes it over."""
    try:
        config = OmegaConf.load(SweepFolder(folder).config)
    except (yaml.YAMLError, UnicodeDecodeError, FileNotFoundError):
        return None
    whole = isinstance(config, DictConfig) and OmegaConf.select(config, "hydra.verbose") is not None
    return config if whole and isinstance(config, DictConfig) else None


def search_results(folder: Path) -> dict[str, Any] | None:
    """A search's results; of a damaged file, results that say nothing."""
    try:
        return SweepFolder(folder).read_results()
    except UserError:
        return {}


def _lengthens(folder: Path, typed: Mapping[str, str]) -> bool:
    """Whether more epochs are typed than the runs of a finished run or grid have."""
    wanted = typed.get(EPOCHS, "")
    if not wanted.isdecimal():
        return False
    if SweepFolder(folder).config.exists():
        config = sweep_config(folder)
        has: Any = OmegaConf.select(config, EPOCHS) if config and is_grid(config) else None
    else:
        try:
            has = (RunFolder(folder).read_config() or {}).get(EPOCHS)
        except UserError:
            return False
    return isinstance(has, int) and has < int(wanted)


def _adds_trials(results: dict[str, Any], config: DictConfig, typed: Mapping[str, str]) -> bool:
    """Whether more trials are typed, and there are points left to try."""
    wanted = typed.get(N_TRIALS, "")
    if not wanted.isdecimal() or ends(results) == {NO_POINTS}:
        return False
    recorded = OmegaConf.select(config, N_TRIALS)
    return isinstance(recorded, int) and recorded < int(wanted)


def _adds_searches(config: DictConfig, typed: Mapping[str, str]) -> bool:
    """Whether more searches are typed than the several that there are."""
    wanted, recorded = typed.get(SEARCHES, ""), OmegaConf.select(config, SEARCHES)
    return wanted.isdecimal() and isinstance(recorded, int) and 1 < recorded < int(wanted)


def _adds_epochs(
    folder: Path, results: dict[str, Any], config: DictConfig, typed: Mapping[str, str]
) -> bool:
    """Whether paused trials go on: with a larger budget, or with a pruner that pauses nothing.

    A share is compared with the recorded one, or with what was spent where that was ``auto``.
    """
    if BUDGET not in ends(results):
        return False
    if typed.get(PRUNER, PAUSING) != PAUSING:
        return True
    wanted, recorded = typed.get(SHARE), OmegaConf.select(config, SHARE)
    if wanted is None:
        return False
    is_known = isinstance(recorded, int | float)
    if wanted == AUTO:
        return is_known  # only the curves tell
    try:
        return float(wanted) > (float(recorded) if is_known else _spent(folder, config))
    except ValueError:  # which is refused when its keys are checked
        return True


def _spent(folder: Path, config: DictConfig) -> float:
    """The share of all epochs of the sweep's searches that were trained; 0 where unknown."""
    trials, epochs = OmegaConf.select(config, N_TRIALS), OmegaConf.select(config, EPOCHS)
    if not isinstance(trials, int) or not isinstance(epochs, int):
        return 0.0
    found = list(_trials(folder))
    searches = len({place.parent for place, _ in found})
    done = sum(number for _, number in found)
    return float(done / max(1, searches * trials * epochs))


def _trials(folder: Path) -> Iterator[tuple[Path, float]]:
    """The folder of each trial and the epochs it has had; of several seeds one run's."""
    for path in folder.rglob(RESULT):
        if not is_search_trial(path.parent.relative_to(folder)):
            continue
        try:
            result = RunFolder(path.parent).read_result() or {}
        except UserError:
            continue
        epochs = result.get("epochs")
        if isinstance(epochs, int | float):
            yield path.parent, epochs
