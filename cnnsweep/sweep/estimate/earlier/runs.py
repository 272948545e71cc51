"""Runs of earlier launches on hardware like this, and what they say of their times."""

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from cnnsweep.errors import UserError
from cnnsweep.folders.run_folder import RESULT, RunFolder
from cnnsweep.folders.sweep_folder import SweepFolder, sweep_around
from cnnsweep.report.read.find import Found, find
from cnnsweep.sweep.freeze_thaw.pruner import FreezeThaw

MOST_READ = 600  # results, the newest


@dataclass(frozen=True)
class Past:
    """A run: its result and folder, and how many of its sweep ran at a time, itself included.

    ``waited``: it may have been paused, so that other runs had their turn before its end.
    """

    result: Mapping[str, Any]
    folder: Path
    beside: float
    waited: bool


def earlier_runs(
    roots: Iterable[Path], hardware: Mapping[str, Any], *, has_gpu: bool
) -> list[Past]:
    """Runs on hardware like this machine's, trained by themselves, the newest first."""
    found = find([root for root in roots if root.is_dir()]).runs
    found.sort(key=lambda one: -max((stamp[0] for stamp in one.files.values()), default=0))
    with_results = [one for one in found if RESULT in one.files][:MOST_READ]
    read = [(one, result) for one in with_results if (result := _result(one)) is not None]
    by_sweep = defaultdict(list)
    for one, result in read:
        by_sweep[one.sweep].append(result)
    waiting = {sweep: sweep is not None and _pauses(sweep) for sweep in by_sweep}
    return [
        Past(
            result,
            one.folder,
            _beside(result, by_sweep[one.sweep], one, waiting),
            waiting[one.sweep],
        )
        for one, result in read
        if _is_like(result, hardware, has_gpu=has_gpu)
    ]


def _pauses(sweep: Path) -> bool:
    """Whether trials of a sweep wait between two epochs, so that their times say little."""
    around = sweep_around(sweep / "0")
    if around is None:
        return False
    try:
        return FreezeThaw.__name__ in SweepFolder(around).config.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return False


def _beside(
    result: Mapping[str, Any],
    others: Sequence[Mapping[str, Any]],
    one: Found,
    waiting: Mapping[Path | None, bool],
) -> float:
    """How many runs there were on average while this one ran, itself included."""
    if one.sweep is None:
        return 1.0
    if waiting[one.sweep]:
        whole = max(span_of(r)[1] for r in others) - min(span_of(r)[0] for r in others)
        return max(1.0, sum(float(r["train_seconds"]) for r in others) / max(1.0, whole))
    return _overlapping(span_of(result), map(span_of, others))


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
        and all(isinstance(one, int | float) and 0 < one < math.inf for one in numbers)
        and all(isinstance(one, str) for one in words)
        and isinstance(result.get("threads"), int)
        and isinstance(result.get("hardware"), dict)
        and isinstance(result.get("data", {}), dict | None)
        and isinstance(result.get("parameters"), int | None)
        and result.get("stack", 1) == 1
        and _has_span(result)
    )


def _has_span(result: Mapping[str, Any]) -> bool:
    try:
        return span_of(result)[1] > 0
    except (KeyError, ValueError):
        return False


def _is_like(result: Mapping[str, Any], hardware: Mapping[str, Any], *, has_gpu: bool) -> bool:
    theirs = result["hardware"]
    same = all(theirs.get(key) == hardware.get(key) for key in ("cpu", "cores"))
    return same and (has_gpu or not theirs.get("gpu"))


Span = tuple[float, float]


def span_of(result: Mapping[str, Any]) -> Span:
    """When a run began and ended, in seconds."""
    began, ended = (
        datetime.fromisoformat(str(result[key])).timestamp() for key in ("started", "ended")
    )
    return began, max(began, ended)


def _overlapping(span: Span, others: Iterable[Span]) -> float:
    """How many runs there were on average while this one ran, itself included."""
    length = max(1.0, span[1] - span[0])
    shared = (min(span[1], end) - max(span[0], begin) for begin, end in others)
    return max(1.0, sum(max(0.0, part) for part in shared) / length)
