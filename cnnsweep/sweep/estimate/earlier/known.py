"""The costs of kinds of runs, by earlier runs of them."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from cnnsweep.dotted_keys import look_up
from cnnsweep.errors import UserError
from cnnsweep.folders.data_record import validation_images
from cnnsweep.folders.run_folder import RunFolder
from cnnsweep.sweep.estimate.costs import Cost, Kind
from cnnsweep.sweep.estimate.earlier.runs import Past, span_of
from cnnsweep.sweep.estimate.kinds import kind_of

ENOUGH = 5  # runs of a kind
_FORWARD = 1 / 3  # of what an image costs in training, one that is only evaluated
_CHECKPOINT = 0.02  # seconds an epoch
_BEGIN = 0.4  # of the time around the epochs, what comes before them
FLAGS = ("test", "pictures")  # which decide on what is done after the last epoch
_FILES = 200_000.0  # bytes of a run without its checkpoints, where nothing tells


@dataclass(frozen=True)
class Known:
    """Costs of kinds by ``runs`` earlier runs, of which about ``beside`` ran at a time.

    ``validated``: images of their validation split, 0 where nothing tells.
    """

    costs: Mapping[Kind, Cost]
    runs: int
    beside: float
    validated: int = 0


def known_costs(
    past: Sequence[Past],
    wanted: Collection[Kind] | None,
    workers: int,
    flags: Mapping[str, object],
    family: str = "",
) -> Known:
    """The costs of those wanted kinds of which there are runs; None: of all of a ``family``.

    Runs that had as many beside them as now count first. ``flags`` are the values of ``test`` and
    ``pictures``, on which the time after the last epoch depends.
    """
    by_kind: dict[Kind, list[tuple[Past, Mapping[str, Any]]]] = defaultdict(list)
    open_kinds = set(wanted or ())
    for one in sorted(past, key=lambda one: abs(one.beside - workers) > 0.35 * workers):
        if wanted is not None and not open_kinds:
            break
        config = _config(one)
        if config is None:
            continue
        kind = kind_of(config, *(one.result[key] for key in ("device", "precision", "threads")))
        if kind in open_kinds or (kind.family == family and len(by_kind[kind]) < ENOUGH):
            by_kind[kind].append((one, config))
            if len(by_kind[kind]) >= ENOUGH:
                open_kinds.discard(kind)
    used = [one for runs in by_kind.values() for one, _ in runs]
    beside = median(one.beside for one in used) if used else 1.0
    costs = {kind: _cost(runs, flags) for kind, runs in by_kind.items()}
    validated = [
        _validated(one.result, config) for runs in by_kind.values() for one, config in runs
    ]
    return Known(costs, len(used), beside, max(validated, default=0))


def _validated(result: Mapping[str, Any], config: Mapping[str, Any]) -> int:
    data = result.get("data") or {}
    limit, share = (look_up(config, f"data.{key}") for key in ("train_limit", "val_fraction"))
    return validation_images(data.get("train"), data.get("val"), limit, share) or 0


def _config(one: Past) -> dict[str, Any] | None:
    try:
        return RunFolder(one.folder).read_config()
    except (UserError, OSError):
        return None


def _cost(runs: Sequence[tuple[Past, Mapping[str, Any]]], flags: Mapping[str, object]) -> Cost:
    epochs = [_epoch(one.result, config) for one, config in runs]
    alike = [
        (one, config)
        for one, config in runs
        if one.result["status"] == "completed"
        and not one.result.get("earlier")
        and all(config.get(key) == flags.get(key) for key in FLAGS)
    ]
    timed = [pair for pair in alike if not pair[0].waited]
    timed = timed or [pair for pair in runs if pair[0].result["epochs"] == 1] or list(runs)
    around = sorted(_around(one.result, config) for one, config in timed)
    around_one = around[len(around) // 4]  # others imported torch first, or were interrupted
    best, last = (max(sizes) for sizes in zip(*(_sizes(one) for one, _ in runs), strict=True))
    other = [_others(one.folder) for one, _ in alike] or [_FILES]
    begin = _BEGIN * around_one
    return Cost(begin, median(epochs), around_one - begin, best, last, median(other))


def _epoch(result: Mapping[str, Any], config: Mapping[str, Any]) -> float:
    """Seconds of an epoch, its validation with it, which is not timed by itself."""
    training = float(result["train_seconds"]) / int(result["epochs"])
    share = look_up(config, "data.val_fraction", 0.0)
    share = share if isinstance(share, int | float) and 0 < share < 1 else 0.0
    return training * (1 + _FORWARD * share / (1 - share)) + _CHECKPOINT


def _around(result: Mapping[str, Any], config: Mapping[str, Any]) -> float:
    """Seconds before the first epoch and after the last one; the clock counts whole ones."""
    began, ended = span_of(result)
    return max(0.0, ended - began - int(result["epochs"]) * _epoch(result, config))


def _sizes(one: Past) -> tuple[float, float]:
    """Bytes of best.pt and last.pt, by the number of weights where they are gone."""
    run = RunFolder(one.folder)
    weights = 4.0 * (one.result.get("parameters") or 0)
    best = run.best.stat().st_size if run.best.exists() else weights
    return best, run.last.stat().st_size if run.last.exists() else 2 * weights


def _others(folder: Path) -> float:
    run = RunFolder(folder)
    return float(sum(_file_sizes(folder, but=(run.best, run.last))))


def _file_sizes(folder: Path, but: Collection[Path]) -> Iterator[int]:
    for path in folder.rglob("*"):
        if path.is_file() and path not in but:
            yield path.stat().st_size
