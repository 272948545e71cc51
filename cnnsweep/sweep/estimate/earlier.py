"""What runs of earlier launches took, from what their folders record."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from statistics import median
from typing import Any

from cnnsweep.dotted_keys import look_up
from cnnsweep.errors import UserError
from cnnsweep.folders.data_record import validation_images
from cnnsweep.folders.run_folder import RESULT, RunFolder
from cnnsweep.report.read.find import Found, find
from cnnsweep.sweep.estimate.costs import Cost, Kind
from cnnsweep.sweep.estimate.kinds import kind_of

MOST_READ = 600  # results, the newest
ENOUGH = 5  # runs of a kind
_FORWARD = 1 / 3  # of what an image costs in training, one that is only evaluated
_CHECKPOINT = 0.02  # seconds an epoch
_BEGIN = 0.4  # of the time around the epochs, what comes before them
_FLAGS = ("test", "pictures")  # which decide on what is done after the last epoch
_FILES = 200_000.0  # bytes of a run without its checkpoints, where nothing tells


@dataclass(frozen=True)
class Past:
    """A run: its result and folder, and how many of its sweep ran at a time, itself included."""

    result: Mapping[str, Any]
    folder: Path
    beside: float


@dataclass(frozen=True)
class Known:
    """Costs of kinds by ``runs`` earlier runs, of which about ``beside`` ran at a time.

    ``validated``: images of their validation split, 0 where nothing tells.
    """

    costs: Mapping[Kind, Cost]
    runs: int
    beside: float
    validated: int = 0


def earlier_runs(
    roots: Iterable[Path], hardware: Mapping[str, Any], *, has_gpu: bool
) -> list[Past]:
    """Runs on hardware like this machine's, trained by themselves, the newest first."""
    found = find([root for root in roots if root.is_dir()]).runs
    found.sort(key=lambda one: -max((stamp[0] for stamp in one.files.values()), default=0))
    with_results = [one for one in found if RESULT in one.files][:MOST_READ]
    read = [(one, result) for one in with_results if (result := _result(one)) is not None]
    spans = defaultdict(list)
    for one, result in read:
        spans[one.sweep].append(_span(result))
    return [
        Past(result, one.folder, _beside(_span(result), spans[one.sweep]) if one.sweep else 1.0)
        for one, result in read
        if _is_like(result, hardware, has_gpu=has_gpu)
    ]


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


def _result(found: Found) -> dict[str, Any] | None:
    try:
        result = RunFolder(found.folder).read_result()
    except (UserError, OSError):
        return None
    return result if result is not None and _is_usable(result) else None


def _is_usable(result: Mapping[str, Any]) -> bool:
    """Whether it says all that is looked at here; another app's may hold anything."""
    numbers = (result.get("epochs"), result.get("train_seconds"))
    words = (result.get("device"), result.get("precision"))
    return (
        result.get("status") in ("completed", "pruned", "paused")
        and all(isinstance(one, int | float) and one > 0 for one in numbers)
        and all(isinstance(one, str) for one in words)
        and isinstance(result.get("threads"), int)
        and isinstance(result.get("hardware"), dict)
        and result.get("stack", 1) == 1
        and _has_span(result)
    )


def _has_span(result: Mapping[str, Any]) -> bool:
    try:
        return _span(result)[1] > 0
    except (KeyError, ValueError):
        return False


def _is_like(result: Mapping[str, Any], hardware: Mapping[str, Any], *, has_gpu: bool) -> bool:
    theirs = result["hardware"]
    same = all(theirs.get(key) == hardware.get(key) for key in ("cpu", "cores"))
    return same and (has_gpu or not theirs.get("gpu"))


def _config(one: Past) -> dict[str, Any] | None:
    try:
        return RunFolder(one.folder).read_config()
    except (UserError, OSError):
        return None


Span = tuple[float, float]


def _span(result: Mapping[str, Any]) -> Span:
    began, ended = (
        datetime.fromisoformat(str(result[key])).timestamp() for key in ("started", "ended")
    )
    return began, max(began, ended)


def _beside(span: Span, others: Iterable[Span]) -> float:
    """How many runs there were on average while this one ran, itself included."""
    length = max(1.0, span[1] - span[0])
    shared = (min(span[1], end) - max(span[0], begin) for begin, end in others)
    return max(1.0, sum(max(0.0, part) for part in shared) / length)


def _cost(runs: Sequence[tuple[Past, Mapping[str, Any]]], flags: Mapping[str, object]) -> Cost:
    epochs = [_epoch(one.result, config) for one, config in runs]
    alike = [
        (one, config)
        for one, config in runs
        if one.result["status"] == "completed"
        and not one.result.get("earlier")
        and all(config.get(key) == flags.get(key) for key in _FLAGS)
    ]
    around = sorted(_around(one.result, config) for one, config in alike or runs)
    around_one = median(around) if len(around) > 2 else around[0]
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
    began, ended = _span(result)
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
