"""The outcome of a run: filled while it runs, written to result.json at its end."""

import platform
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from functools import cache
from importlib.metadata import version
from typing import Any

from cnnsweep import __version__
from cnnsweep.epoch_reporter import Pruned
from cnnsweep.errors import one_line
from cnnsweep.folders.run_folder import RunFolder
from cnnsweep.process import Terminated, held_back


@cache
def versions() -> dict[str, str]:
    """Versions of what a run's metrics depend on, by name."""
    return {
        "python": platform.python_version(),
        "torch": version("torch"),
        "cnnsweep": __version__,
    }


@cache
def commit() -> str | None:
    """The current folder's commit, `-dirty` where tracked files differ; None outside git."""
    head = _git("rev-parse", "HEAD")
    if head is None:
        return None
    return f"{head}-dirty" if _git("status", "--porcelain", "--untracked-files=no") else head


def _git(*arguments: str) -> str | None:
    try:
        done = subprocess.run(["git", *arguments], capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return None
    return done.stdout.strip() if done.returncode == 0 else None


@dataclass(kw_only=True)
class Outcome:
    """The fields of result.json, in its order; None is a metric that does not exist (yet)."""

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
    commit: str | None = field(default_factory=commit)
    error: str | None = None
    classes: list[str] | None = None

    def as_dict(self) -> dict[str, Any]:
        """The content of result.json."""
        return asdict(self)


@contextmanager
def recorded(folder: RunFolder, outcome: Outcome) -> Iterator[None]:
    """Write result.json at the end of the block, whatever ends it.

    The one place that catches every error, so that each folder says what became of its run.
    """
    try:
        yield
        outcome.status = "completed"
    except BaseException as error:
        outcome.status, outcome.error = _verdict(error)
        if not folder.metrics.exists():
            folder.write_metrics([])
        raise
    finally:
        with held_back():
            folder.write_result(outcome.as_dict())


def _verdict(error: BaseException) -> tuple[str, str | None]:
    if isinstance(error, Pruned):
        return "pruned", None
    if isinstance(error, KeyboardInterrupt):
        return "interrupted", "Ctrl-C"
    if isinstance(error, Terminated):
        return "interrupted", "SIGTERM"
    return "failed", one_line(error)
