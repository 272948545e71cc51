"""Writes result.json for runs whose worker could not, and for the mean over a trial's seeds."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from cnnsweep.folders.longer import begun
from cnnsweep.folders.provenance import now
from cnnsweep.folders.result import Outcome
from cnnsweep.folders.run_folder import APP, LAST, RunFolder
from cnnsweep.folders.sweep_folder import seed_runs
from cnnsweep.sweep.spec.messages import Finished
from cnnsweep.task.longer.lengthening import settle

_SETTING = ("seed", "device", "precision", "threads")


def recorded_end(run: RunFolder) -> Finished | None:
    """The end of a run that was completed, else None; also where it is being made longer."""
    if run.is_ours:
        settle(run.path)
        if begun(run.path) is not None:
            return None
    result = run.read_result()
    is_completed = result is not None and result["status"] == "completed"
    return Finished("completed", result["objective"]) if result and is_completed else None


def lacks_checkpoint(trial: Path, name: str = LAST) -> bool:
    """Whether a trial's run, or one of its runs, cannot go on where it was: from file ``name``."""
    return not all((run / name).exists() for run in seed_runs(trial) or [trial])


def mark_pruned(run: RunFolder) -> None:
    """Have a paused run say that it is over."""
    result = run.read_result()
    if result is not None and result["status"] == "paused":
        run.write_result(result | {"status": "pruned"})


def write_failure(
    run: RunFolder,
    error: str,
    config: dict[str, Any],
    *,
    anew: bool,
    data: dict[str, Any] | None = None,
) -> None:
    """Record that a run's process died, hung, could not begin, or returned nothing usable.

    ``config`` and ``data`` stand in where the run has not written its own. An outcome that the run
    itself recorded stays, unless it is to be written ``anew``, and so does another app's own file.
    """
    run.path.mkdir(parents=True, exist_ok=True)
    recorded = run.read_result()
    if not run.is_ours and recorded is None and run.result.exists():
        return
    if recorded is not None and recorded["status"] in ("completed", "failed") and not anew:
        return
    if recorded is not None and APP in recorded:
        run.write_result(recorded | {"status": "failed", "error": error, "ended": now()})
        return
    known = config | ((run.read_config() if run.is_ours else None) or {})
    setting: dict[str, Any] = {key: known.get(key, "unknown") for key in _SETTING}
    outcome = Outcome(**setting)
    outcome.status, outcome.error = "failed", error
    outcome.data, outcome.started, outcome.ended = data, None, now()
    for name in ("data", "command", "started", "earlier"):  # an earlier launch of it may know
        if recorded is not None and name in recorded:
            setattr(outcome, name, recorded[name])
    if not run.is_ours:
        outcome.epochs = 0
    elif run.metrics.exists():
        outcome.epochs = len(run.metrics.read_text(encoding="utf-8").splitlines()) - 1
    else:
        run.write_metrics([])
    run.write_result(outcome.as_dict())


def write_mean(trial: RunFolder, status: str, runs: Sequence[RunFolder], error: str | None) -> None:
    """Record a trial of several seeds: the means of its runs' metrics."""
    results = [result for run in runs if (result := run.read_result()) is not None]
    trial.path.mkdir(parents=True, exist_ok=True)
    if not results:
        return
    mean = {key: _mean([result.get(key) for result in results]) for key in results[-1]}
    seeds = {"seeds": [result.get("seed") for result in results]}
    trial.write_result(mean | seeds | {"status": status, "error": error, "seed": None})


def _mean(values: list[Any]) -> Any:
    """What is equal in all runs as it is; the mean of numbers; None for anything else."""
    if all(value == values[0] for value in values):
        return values[0]
    if all(isinstance(v, int | float) and not isinstance(v, bool) for v in values):
        return sum(values) / len(values)
    return None
