"""The outcome of a run: filled while it runs, written to result.json at its end."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from typing import Any

from cnnsweep.epoch_reporter import Ended
from cnnsweep.errors import one_line
from cnnsweep.folders.provenance import code, hardware, now, versions
from cnnsweep.folders.run_folder import RunFolder
from cnnsweep.process import Terminated, held_back, stops_first


@dataclass(kw_only=True)
class Outcome:
    """The fields of result.json, in its order; None is a metric that does not exist (yet).

    ``learned`` is false where the balanced accuracy, of the test split or else of validation, is
    that of a network that never learned (:func:`cnnsweep.metric_names.has_learned`); None without
    either, and where too few images are there to tell. ``stack`` is the largest number of runs,
    itself included, that an epoch was trained together with; of their seconds each has its share.
    ``lengthened`` tells of each former end of a run that was made longer, the first one first.
    """

    status: str = "running"
    objective: float | list[float | None] | None = None
    epochs: int = 0
    best_epoch: int | None = None
    train_loss: float | None = None
    train_accuracy: float | None = None
    val_loss: float | None = None
    val_accuracy: float | None = None
    test_loss: float | None = None
    test_accuracy: float | None = None
    parameters: int | None = None
    train_seconds: float = 0.0
    images_per_second: float | None = None
    device: str
    precision: str
    threads: int | str
    seed: int
    versions: dict[str, str] = field(default_factory=versions)
    commit: str | None = field(default_factory=lambda: code().commit)
    error: str | None = None
    classes: list[str] | None = None
    data: dict[str, Any] | None = None
    hardware: dict[str, Any] = field(default_factory=lambda: dict(hardware()))
    commit_of_folder: str | None = field(default_factory=lambda: code().commit_of_folder)
    changes: str | None = field(default_factory=lambda: code().changes)
    started: str | None = field(default_factory=now)
    ended: str | None = None
    command: str | None = None
    earlier: list[dict[str, Any]] = field(default_factory=list)
    val_balanced_accuracy: float | None = None
    test_balanced_accuracy: float | None = None
    learned: bool | None = None
    stack: int = 1
    lengthened: list[dict[str, Any]] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        """The content of result.json."""
        return asdict(self)


@contextmanager
def recorded(folder: RunFolder, outcome: Outcome) -> Iterator[None]:
    """Write result.json at the end of the block, whatever ends it.

    The one place that catches every error, so that each folder says what became of its run.
    """
    try:
        with stops_first():
            yield
        outcome.status = "completed"
    except BaseException as error:
        outcome.status, outcome.error = verdict(error)
        if not folder.metrics.exists():
            folder.write_metrics([])
        raise
    finally:
        outcome.ended = now()
        with held_back():
            folder.write_result(outcome.as_dict())


def verdict(error: BaseException) -> tuple[str, str | None]:
    """The status of a run that an error has ended, and the line on it, where it is a failure."""
    if isinstance(error, Ended):
        return error.status, None
    if isinstance(error, KeyboardInterrupt):
        return "interrupted", "Ctrl-C"
    if isinstance(error, Terminated):
        return "interrupted", "SIGTERM"
    return "failed", one_line(error)
