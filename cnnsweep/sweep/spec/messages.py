"""What the launching process and its workers say to each other."""

from dataclasses import dataclass
from typing import Literal

Metrics = dict[str, float | int | None]


@dataclass(frozen=True)
class Job:
    """One run for a worker: ``overrides`` on the sweep's config, in ``folder`` of the sweep folder.

    ``search_index`` numbers the search it belongs to among those of the sweep, from 0. ``trial`` is
    Optuna's number, None for a confirmation run. ``seed_index`` counts the seeds of one trial (or
    the confirmation runs) from 0. ``number`` is what Hydra gets as ``hydra.job.num``: the trial's,
    for a confirmation run the winner's. ``is_prunable``: the worker waits after each epoch until it
    is told whether to go on. ``is_alone``: no other job may be in its process, since it may be the
    one that ends processes.
    """

    search_index: int
    trial: int | None
    seed_index: int
    folder: str
    number: int
    overrides: tuple[str, ...]
    is_prunable: bool
    is_alone: bool = False


@dataclass(frozen=True)
class Started:
    """The worker has begun its job."""


@dataclass(frozen=True)
class Epoch:
    """An epoch of the job ended; ``number`` counts from 1, ``metrics`` is its row of metrics.csv.

    Where the job is prunable it is answered. ``is_known``: another epoch follows that needs not be
    trained either, since the run folder had both when the job began.
    """

    number: int
    metrics: Metrics
    is_known: bool = False


@dataclass(frozen=True)
class Note:
    """A line for the terminal, unless another job of the sweep has said it."""

    line: str


Answer = Literal["go_on", "prune", "pause"]  # to an Epoch; "pause" is "prune", but not for good

Reason = Literal[
    "completed",  # the task returned ``value``
    "pruned",
    "paused",  # other trials promise more by now; it can go on from its checkpoint
    "failed",  # the task raised, or could not begin
    "died",  # the worker's process ended in the middle of the job
    "shared_death",  # the same, of one that had several jobs: nobody knows through which it ended
    "timeout",  # the job took longer than it may, and its worker was killed
    "preempted",  # whoever lent the worker its place took it back, as announced
    "lost",  # the worker is out of reach, with its machine or its launcher's job; it ends by itself
    "held",  # another process keeps the job's run folder, and the worker did not begin
    "never_started",  # the worker's process ended before it began the job
]


@dataclass(frozen=True)
class Finished:
    """The job is over, and its worker free or gone.

    ``error`` is one line for a person; ``cause`` is equal for failures that have the same reason,
    whatever values their messages hold (None: the error itself). ``log`` is the worker's own,
    where it ended: it has what the run's log lacks. ``is_others_folder``: the job's run folder
    holds a run that is not the job's own, and stays as it is.
    """

    reason: Reason
    value: object = None
    error: str | None = None
    cause: str | None = None
    log: str | None = None
    is_others_folder: bool = False

    @property
    def worker_ended(self) -> bool:
        """Whether the worker's process ended by itself, in the job or before it."""
        return self.reason in ("died", "never_started")


Message = Started | Note | Epoch | Finished
