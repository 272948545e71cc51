"""The files of another app's run: metrics.csv as its epochs come, result.json at both ends."""

import logging
import math
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cnnsweep.epoch_reporter import Ended
from cnnsweep.errors import UserError
from cnnsweep.folders.provenance import as_text, code, hardware, now, versions
from cnnsweep.folders.result import verdict
from cnnsweep.folders.run_folder import (
    APP,
    CONFIG,
    HYDRA,
    OBJECTIVE_IS,
    PAUSED,
    RUNNING,
    RunFolder,
    as_csv,
    write_text_whole,
)
from cnnsweep.metric_names import Direction
from cnnsweep.other_apps.metrics import EPOCH, Row

SECONDS = "train_seconds"  # in RESULT: of all processes of the run that came to an end
log = logging.getLogger(__name__)


@dataclass
class RunRecord:
    """What the run of app ``app`` in ``folder`` has reported, in this process and before it.

    ``metric`` is the one that decides, and ``way`` which of its values are better; None where the
    app's config does not say. ``checkpoint`` is the file from which the run goes on. Once the sweep
    has ended the run, ``ended`` says so.
    """

    folder: Path
    app: str
    metric: str | None = None
    way: Direction | None = None
    checkpoint: str | None = None
    ended: Ended | None = None
    _rows: list[Row] = field(default_factory=list)
    _told: set[int] = field(default_factory=set)  # epochs that this process has reported
    _has_begun: bool = False

    def __post_init__(self) -> None:
        self._run = RunFolder(self.folder)

    def open(self) -> None:
        """Take up what an earlier process has left of the run.

        Raises:
            UserError: the folder has files of such names that are not ours.
        """
        before = self._run.read_result()
        if before is None and self._run.metrics.exists():
            raise _not_ours(self._run.metrics)
        if before is not None and APP not in before:
            raise _not_ours(self._run.result)
        self._rows = self._run.read_metrics() if before is not None else []
        self._seconds = float((before or {}).get(SECONDS) or 0) if self._rows else 0.0
        self._begun_at = self._begin()
        self._started = before["started"] if before and self._rows else as_text(self._begun_at)
        if before is None or before["status"] != PAUSED:  # which it stays until it has another end
            self._write(RUNNING, None, None)

    def add(self, row: Row) -> list[Row]:
        """Keep an epoch; returns the rows that the sweep is to hear of: in order, this one last.

        Raises:
            UserError: an epoch is left out, or was reported before with other metrics.
        """
        number = _epoch(row)
        if not self._has_begun:
            self._fit(row, number)
        known = {_epoch(old): old for old in self._rows}
        if number not in known:
            last = max(known, default=0)
            if number != last + 1 and self._has_begun:
                raise UserError(
                    f"report_epoch({number}, …) came after epoch {last}; epochs are reported in "
                    "their order, each once"
                )
            self._rows.append(row)
            self._write_metrics()
        elif not _are_equal(known[number], row):
            raise self._differs(known[number], row)
        self._has_begun = True
        before = [old for old in self._rows if _epoch(old) < number]
        heard = [*(old for old in before if _epoch(old) not in self._told), row]
        self._told |= {_epoch(one) for one in heard}
        return heard

    def lacks_checkpoint(self) -> bool:
        """Whether the file from which the run is to go on is not there."""
        return self.checkpoint is not None and not (self.folder / self.checkpoint).exists()

    def close(self, returned: Any, error: BaseException | None) -> None:
        """Write how the run ended: with what its task returned, or with an error."""
        before = self._run.read_result()
        if before is None or APP not in before:  # the app has written its own since
            return
        if self.ended is not None:
            error = self.ended
        status, line = ("completed", None) if error is None else verdict(error)
        self._write(status, line, self.objective(returned) if error is None else None)

    def objective(self, returned: Any) -> Any:
        """What the task returned; where that is nothing, the best value of the metric."""
        best = self._best() if returned is None else None
        return returned if best is None or self.metric is None else best[self.metric]

    def _begin(self) -> float:
        """When Hydra began the job in this process: it writes the job's config then."""
        written = self.folder / HYDRA / CONFIG
        return min(written.stat().st_mtime, time.time()) if written.exists() else time.time()

    def _fit(self, row: Row, number: int) -> None:
        """What a process first reports decides what is kept of those before it."""
        known = {_epoch(old): old for old in self._rows}
        last = max(known, default=0)
        if number in known and not _are_equal(known[number], row):
            if self.checkpoint is not None:
                raise self._differs(known[number], row)
            log.warning("epochs from %d on are trained again, and have other metrics", number)
            self._rows = [old for old in self._rows if _epoch(old) < number]
        elif number > last + 1:
            log.warning("epochs %d to %d were never reported", last + 1, number - 1)

    def _differs(self, known: Row, row: Row) -> UserError:
        name = next(n for n in {**known, **row} if not _is_same(known.get(n), row.get(n)))
        kept = "" if self.checkpoint is None else f" from {self.checkpoint}"
        return UserError(
            f"epoch {row[EPOCH]} was reported before with {name} {known.get(name)}, and now with "
            f"{row.get(name)}: the run does not go on{kept} as it was"
        )

    def _best(self) -> Row | None:
        """The epoch with the best value of the metric, of equal ones the first."""
        name = self.metric
        if name is None or self.way is None:
            return None
        sign = 1 if self.way == "minimize" else -1
        usable = [r for r in self._rows if not math.isnan(_number(r.get(name)))]
        return min(usable, key=lambda row: sign * _number(row[name]), default=None)

    def _decides(self, objective: Any) -> str | None:
        """The name of what the objective is; None where its value is none that was reported."""
        value, name = _plain(objective), self.metric
        if value is None or name is None:
            return name
        if not isinstance(value, float):
            return None
        reported = (_number(row.get(name)) for row in self._rows)
        return name if any(math.isclose(value, one, rel_tol=1e-6) for one in reported) else None

    def _write_metrics(self) -> None:
        names = list(dict.fromkeys(name for row in self._rows for name in row))
        body = ([row.get(name) for name in names] for row in self._rows)
        write_text_whole(self._run.metrics, as_csv(names, body))

    def _write(self, status: str, error: str | None, objective: Any) -> None:
        """Metrics are those of the best epoch; of the last one, where none is known to be best."""
        best = self._best()
        shown = best or (self._rows[-1] if self._rows else {})
        figures = {name: _finite(value) for name, value in shown.items() if name != EPOCH}
        self._run.write_result(
            {
                APP: self.app,
                "status": status,
                "objective": _plain(objective),
                OBJECTIVE_IS: {"metric": self._decides(objective), "direction": self.way},
                "epochs": len(self._rows),
                "best_epoch": best[EPOCH] if best is not None else None,
                SECONDS: self._seconds + time.time() - self._begun_at,
                **figures,
                "versions": versions(),
                **code().as_plain(),
                "error": error,
                "hardware": dict(hardware()),
                "started": self._started,
                "ended": None if status == RUNNING else now(),
            }
        )


def finished_epochs(folder: Path) -> tuple[list[Row], Any] | None:
    """The epochs and the objective of another app's completed run; None where it is none."""
    run = RunFolder(folder)
    result = run.read_result()
    if result is None or APP not in result or result["status"] != "completed":
        return None
    return run.read_metrics(), result["objective"]


def _not_ours(path: Path) -> UserError:
    return UserError(
        f"report_epoch keeps {path.name} in the run's folder, and {path} is another program's; "
        "give that another name"
    )


def _epoch(row: Row) -> int:
    return int(row[EPOCH] or 0)


def _are_equal(one: Row, other: Row) -> bool:
    return all(_is_same(one.get(name), other.get(name)) for name in {**one, **other})


def _is_same(one: float | None, other: float | None) -> bool:
    return one == other or (_number(one) != _number(one) and _number(other) != _number(other))


def _number(value: float | None) -> float:
    return math.nan if value is None else float(value)


def _finite(value: float | None) -> float | None:
    return value if math.isfinite(_number(value)) else None


def _plain(objective: Any) -> Any:
    """Numbers as JSON has them, of torch and NumPy too; what is none as None."""
    if isinstance(objective, Sequence) and not isinstance(objective, str):
        return [_plain(value) for value in objective]
    try:
        return _finite(float(objective))
    except (TypeError, ValueError, RuntimeError):
        return None
