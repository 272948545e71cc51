"""The outcome of a run: filled while it goes, written last, whatever happens."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from typing import Any

from cnnsweep.epoch_reporter import Pruned
from cnnsweep.errors import one_line
from cnnsweep.folders.provenance import commit, versions
from cnnsweep.folders.run_folder import RunFolder
from cnnsweep.process import Terminated, held_back


@dataclass
class Outcome:
    """The fields of result.json, in its order; None is a figure that does not exist (yet)."""

    seed: int
    device: str
    precision: str
    threads: int | str
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
    versions: dict[str, str] = field(default_factory=versions)
    commit: str | None = field(default_factory=commit)
    error: str | None = None

    def as_dict(self) -> dict[str, Any]:
        """The outcome in the order in which a person reads it."""
        values = asdict(self)
        setting = ("device", "precision", "threads", "seed", "versions", "commit", "error")
        return {k: v for k, v in values.items() if k not in setting} | {
            k: values[k] for k in setting
        }


@contextmanager
def recorded(
    folder: RunFolder, outcome: Outcome, tell: Callable[[dict[str, Any]], None] | None = None
) -> Iterator[None]:
    """Write result.json at the end of the block, however it ends; ``tell`` hears of it first.

    ``tell`` waits for nobody: nothing holds the outcome up. The one place that catches everything,
    so that a folder always tells what became of its run.
    """
    try:
        yield
    except BaseException as error:
        outcome.status, outcome.error = _verdict(error)
        if not folder.metrics.exists():
            folder.write_metrics([])
        _conclude(folder, outcome, tell)
        raise
    outcome.status = "completed"
    _conclude(folder, outcome, tell)


def _conclude(
    folder: RunFolder, outcome: Outcome, tell: Callable[[dict[str, Any]], None] | None
) -> None:
    with held_back():
        if tell is not None:  # before the file: a run without it goes on, and tells again
            tell(outcome.as_dict())
        folder.write_result(outcome.as_dict())


def _verdict(error: BaseException) -> tuple[str, str | None]:
    if isinstance(error, Pruned):
        return "pruned", None
    if isinstance(error, KeyboardInterrupt):
        return "interrupted", "Ctrl-C"
    if isinstance(error, Terminated):
        return "interrupted", "SIGTERM"
    return "failed", one_line(error)
