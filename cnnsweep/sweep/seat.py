"""What a pool needs of a worker, be it a process of ours or one behind a launcher."""

from multiprocessing.connection import Connection
from typing import Any, Protocol

from cnnsweep.sweep.messages import Died, Job, Lost, Message


class Seat(Protocol):
    """A worker that has at most one job; ``started_at`` (time.monotonic()) is when it began it."""

    job: Job | None
    started_at: float | None
    connection: "Connection[Any, Any]"

    @property
    def is_over(self) -> bool:
        """Whether the worker is gone for good."""

    def give(self, job: Job) -> None:
        """Hand over a job."""

    def answer(self, goes_on: bool) -> None:
        """Answer an Epoch."""

    def receive(self) -> Message | None:
        """The next message of a readable connection; None for one that concerns nobody."""

    def is_gone(self) -> bool:
        """Whether it has died without closing its connection."""

    def death(self) -> Died | Lost:
        """How it died."""

    def ask_to_stop(self) -> None:
        """Let it keep its last whole epoch and go."""

    def dismiss(self) -> None:
        """Tell it that no more jobs come."""

    def kill(self) -> None:
        """End its job at once."""

    def close(self, grace: float) -> None:
        """Wait ``grace`` seconds for its end, then see to it."""
