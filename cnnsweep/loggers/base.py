"""What a tracker is told, as objects and as plain values; the ids and locks of its folders."""

import contextlib
import fcntl
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, Protocol
from uuid import uuid4

from cnnsweep.dotted_keys import leaves
from cnnsweep.folders.run_folder import RunFolder, write_text_whole

Row = Mapping[str, float | int | None]


@dataclass(frozen=True)
class SweepInfo:
    """The sweep that a run is part of.

    ``id`` is the sweep folder's for good; ``place`` is the run's folder below it (``3``,
    ``3/seed_1``, ``confirm/7``) and ``trial`` its number, None for a confirmation run.
    ``parameters`` are the config keys and groups in which the sweep's runs differ.
    """

    folder: Path
    id: str
    name: str
    place: str
    trial: int | None
    parameters: Mapping[str, Any]


@dataclass(frozen=True)
class RunInfo:
    """What a tracker may know of a run before it begins.

    ``id`` is the run folder's for good, however often the run is killed and resumed. ``root`` is
    the folder in which the command was typed, ``pid`` the training process. In
    :meth:`Logger.sweep_ended` the folder, id and name are the sweep's own.
    """

    folder: Path
    id: str
    name: str
    root: Path
    pid: int
    config: Mapping[str, Any]
    sweep: SweepInfo | None


class Logger(Protocol):
    """Made with its keys of the config, and ``run`` and ``folder`` where it takes them.

    It lives in a process of its own: what it raises or how long it takes harms no run. A
    constructor that raises UserError ends the run before any training.
    """

    def started(self, history: Sequence[Row]) -> None:
        """The run begins, or resumes after these epochs; they replace what an object before had."""

    def epoch_ended(self, row: Row) -> None:
        """``row`` is the epoch's line of metrics.csv."""

    def ended(self, result: Mapping[str, Any], folder: RunFolder) -> None:
        """``result`` is the content of result.json, whatever its status; the pictures are drawn.

        A run that is ``paused`` or ``interrupted`` may go on, as another object's.
        """

    def sweep_ended(self) -> None:
        """All runs of the sweep are over; called on an object of its own, instead of the others.

        A class may leave this method out.
        """


class Setup(NamedTuple):
    """What the process of one tracker is started with.

    ``node`` is the tracker's part of the config. ``is_sweep``: the run stands for a sweep that has
    ended. The rest tells old files of a resumed run from new ones: the epochs in metrics.csv before
    it began, and the :func:`stamp` of both files.
    """

    name: str
    node: dict[str, Any]
    run: RunInfo
    is_sweep: bool
    old_epochs: int
    old_metrics: int
    old_result: int


def flat(tree: Mapping[str, Any]) -> dict[str, Any]:
    """Dotted keys and their values; an empty mapping is left out."""
    return {key: value for key, value in leaves(tree).items() if value != {}}


def epoch_metrics(row: Row) -> tuple[int, dict[str, float]]:
    """An epoch's number and those of its metrics that exist."""
    metrics = {k: float(v) for k, v in row.items() if k != "epoch" and v is not None}
    return int(row["epoch"] or 0), metrics


def final_metrics(result: Mapping[str, Any]) -> dict[str, float]:
    """The metrics of an outcome, as `final_<name>`: epochs have metrics of the same names.

    Several objectives become `final_objective_0`, `final_objective_1`.
    """
    values = dict(result)
    if isinstance(values["objective"], list):
        values |= {f"objective_{i}": v for i, v in enumerate(values.pop("objective"))}
    return {
        f"final_{name}": float(value)
        for name, value in values.items()
        if isinstance(value, int | float) and name not in ("seed", "threads")
    }


def stamp(path: Path) -> int:
    """Changes whenever a file is written; 0 without the file."""
    return path.stat().st_mtime_ns if path.exists() else 0


def identity(folder: Path) -> str:
    """The folder's id for trackers, random at the first call; safe in many processes at once."""
    path = RunFolder(folder).tracker_id
    if not path.exists():
        with alone(folder, "id"):
            if not path.exists():
                write_text_whole(path, uuid4().hex[:16])
    return path.read_text(encoding="utf-8")


@contextlib.contextmanager
def alone(folder: Path, tracker: str) -> Iterator[None]:
    """Wait until no other process holds this tracker's lock of the folder, then hold it."""
    path = RunFolder(folder).tracker_lock(tracker)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
