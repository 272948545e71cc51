"""What was read from one run folder: status, config, results, epochs; all plain data."""

import math
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cnnsweep.folders import run_folder
from cnnsweep.folders.run_folder import OBJECTIVE_IS
from cnnsweep.folders.sweep_folder import CONFIRM, is_repeated_search
from cnnsweep.report.read.safe_io import Scalar

UNFINISHED = "unfinished"
STATUSES = (*run_folder.STATUSES, UNFINISHED, "damaged")
FINGERPRINT, UNKNOWN = "data.fingerprint", "unknown"  # a column beside the config's keys
TUNED = "tuned"
Columns = dict[str, list[float | None]]


@dataclass(slots=True)
class Run:
    """What one run folder holds.

    ``status`` is one of STATUSES: ``unfinished`` has no outcome yet (it may still be running),
    ``paused`` has one that is not final (its metrics are those of its best epoch so far),
    ``damaged`` has a file that cannot be read. ``role`` says how the run came about: ``single``,
    one of a ``grid``, a trial of a ``search``, a run of its winner to ``confirm`` it, or
    of one that won before (``former confirm``).
    ``learned`` is false where it ended no better than by chance, None where that is not known.
    ``decides`` is the metric that its objective is, by which ``direction`` better, where another
    app's run records them.
    ``app`` is the name of the Hydra app that left it; ``told``: it is another one's, which reported
    its epochs and records an outcome. ``tuned``: the keys that several searches of
    one choice chose, each in its own way (``stats/group_keys.py`` finds them).
    """

    folder: Path
    status: str = "unfinished"
    error: str | None = None
    config: dict[str, Scalar] = field(default_factory=dict)  # by dotted key, choices of groups too
    result: dict[str, Scalar] = field(default_factory=dict)  # by dotted key
    metrics: Columns = field(default_factory=dict)  # a value an epoch
    problems: list[str] = field(default_factory=list)
    ours: bool = True
    multirun: bool = False
    sweep: Path | None = None
    trial: int | None = None
    role: str = "single"
    images: bool = False  # test_predictions.csv is there
    learned: bool | None = None
    app: str | None = None
    told: bool = False
    decides: str | None = None
    direction: str | None = None
    tuned: frozenset[str] = frozenset()

    def value(self, key: str) -> Scalar:
        """What the folder is (``folder``, ``role`` …), else a metric, else a config key.

        ``config.epochs`` is the config's where a metric has the same name.
        """
        if key in ABOUT:
            about = getattr(self, key)
            return str(about) if isinstance(about, Path) else about
        if key.startswith(_OF_CONFIG):
            return self.config.get(key.removeprefix(_OF_CONFIG))
        return self.result[key] if key in self.result else self.config.get(key)

    def setting(self, key: str) -> Scalar:
        """What tells groups apart: a value, or ``tuned`` for what a search of several chose."""
        return TUNED if key in self.tuned else as_compared(self.value(key))

    def configured(self, key: str, default: Scalar = None) -> Scalar:
        """The config's value of a key, as it is compared with other runs'."""
        return as_compared(self.config.get(key, default))

    @property
    def search(self) -> Path | None:
        """The folder of the search that this confirms, where it is one of several; else None."""
        is_one = self.role == CONFIRM and self.sweep is not None and is_repeated_search(self.sweep)
        return self.sweep if is_one else None

    def metric(self, name: str) -> float | None:
        """The final value of a metric, a finite number; None where there is none."""
        return finite(self.result.get(name))

    @property
    def seed(self) -> Scalar:
        """The run's seed; None where it isn't known."""
        return self.value("seed")

    @property
    def epochs_done(self) -> int:
        """Epochs trained, by the metrics where the result doesn't say."""
        done = self.metric("epochs")
        rows = max((len(column) for column in self.metrics.values()), default=0)
        return rows if done is None else int(done)

    @property
    def epochs_planned(self) -> float | None:
        """The config's epochs; where that names another key of it, ``${trainer.epochs}``, those."""
        value = self.config.get("epochs")
        for _ in range(_MOST_REFERENCES):
            named = _REFERENCE.fullmatch(value) if isinstance(value, str) else None
            if named is None:
                break
            value = self.config.get(named[1])
        return finite(value)

    def take_objective(self, result: dict[str, Scalar]) -> None:
        """Take out of another app's result what its objective is.

        Older ones do not say it, and the sweeper's settings count; but there a task may have
        returned another metric than the sweeper's.
        """
        metric, direction = f"{OBJECTIVE_IS}.metric", f"{OBJECTIVE_IS}.direction"
        if metric in result:
            found = (result.pop(key, None) for key in (metric, direction))
            self.decides, self.direction = (None if one is None else str(one) for one in found)
        elif result.get("objective") not in (None, result.get(str(self.decides))):
            self.decides = None

    def as_plain(self) -> dict[str, Any]:
        """Everything that was read from the folder's files, for the cache."""
        return {name: getattr(self, name) for name in _READ}


_OF_CONFIG = "config."
_REFERENCE = re.compile(r"\$\{\s*(\w[\w.]*)\s*\}")
_MOST_REFERENCES = 5  # from one key to the next: a circle ends
_READ = (
    "status", "error", "config", "result", "metrics", "problems", "ours", "multirun", "images",
    "learned", "app", "told", "decides", "direction",
)  # fmt: skip
FORMER = "former confirm"  # a role
ABOUT = ("folder", "status", "role", "sweep", "trial", "error")


def as_compared(value: Scalar) -> Scalar:
    """A value of a config by which settings are equal or not: of a float its first 12 digits.

    Steps of a range that were added up, as older code did, are off in the last of 17.
    """
    return float(f"{value:.12g}") if isinstance(value, float) else value


def finite(value: object) -> float | None:
    """A number that can be averaged, else None."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    number = float(value)
    return number if math.isfinite(number) else None
