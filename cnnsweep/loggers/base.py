"""What a tracker is told. metrics.csv and the pictures are written with or without one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from cnnsweep.folders.run_folder import RunFolder

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

    ``id`` is the run folder's for good, however often the run is killed and goes on. ``root`` is
    the folder in which the command was typed, ``pid`` the training process. In
    :meth:`EndsSweeps.sweep_ended` the folder, id and name are the sweep's own.
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
        """The run begins, or goes on after these epochs: they stand, whatever was told before."""

    def epoch_ended(self, row: Row) -> None:
        """``row`` is the epoch's line of metrics.csv."""

    def ended(self, result: Mapping[str, Any], folder: RunFolder) -> None:
        """``result`` is what result.json will hold, its status included; the pictures are drawn."""


class EndsSweeps(Protocol):
    """A logger that also wants to know when a sweep is over."""

    def sweep_ended(self) -> None:
        """All runs of the sweep are over; told to an object of its own, without `started`."""
