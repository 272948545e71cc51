"""What the launching process and its workers say to each other."""

from dataclasses import dataclass
from typing import Literal

Figures = dict[str, float | int | None]


@dataclass(frozen=True)
class Job:
    """One run for a worker: ``overrides`` on the sweep's config, in ``folder`` of the sweep folder.

    ``search_index`` numbers the search it belongs to among those of the sweep, from 0. ``trial`` is
    Optuna's number, None for a confirmation run. ``seed_index`` counts the seeds of one trial (or
    the confirmation runs) from 0. ``number`` is what Hydra gets as ``hydra.job.num``: the trial's,
    for a confirmation run the winner's. ``is_prunable``: the worker waits after each epoch until it
    is told whether to prune.
    """

    search_index: int
    trial: int | None
    seed_index: int
    folder: str
    number: int
    overrides: tuple[str, ...]
    is_prunable: bool


@dataclass(frozen=True)
class Started:
    """The worker has begun its job."""


@dataclass(frozen=True)
class Epoch:
    """An epoch of the job ended; ``number`` counts from 1. Answered with whether to go on."""

    number: int
    figures: Figures


@dataclass(frozen=True)
class Ended:
    """The job is over and the worker free.

    ``value`` is what the task returned. ``error`` is one line; ``cause`` is equal for failures
    that have the same reason, whatever values their messages hold.
    """

    status: Literal["completed", "pruned", "failed"]
    value: object = None
    error: str | None = None
    cause: str | None = None


@dataclass(frozen=True)
class Died:
    """The worker's process is gone; ``had_started`` its job, or was still coming up."""

    cause: str
    had_started: bool


@dataclass(frozen=True)
class Left:
    """The worker was told to go by whoever lent its place: its job goes on elsewhere.

    Nothing of the job is lost but its unfinished epoch, and nobody counts it as a death.
    """

    cause: str


@dataclass(frozen=True)
class Lost:
    """The worker is out of reach, with its machine or its launcher's job; it ends by itself."""

    cause: str


Message = Started | Epoch | Ended | Died | Left | Lost
