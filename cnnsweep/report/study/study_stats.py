"""Importances and idle time of sweeps, from a process with Optuna that runs beside the report."""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cnnsweep
from cnnsweep.metric_names import duration
from cnnsweep.report.stats.trial_table import Tried, numbers, shown

_MOST_SWEEPS = 20
_MOST_TRIALS = 3000
TIMEOUT_SECONDS = 300.0


@dataclass(slots=True)
class StudyStats:
    """What the study of one sweep says."""

    importances: dict[str, float] = field(default_factory=dict)
    workers: int = 0
    busy_seconds: float = 0.0
    span_seconds: float = 0.0

    def idle(self) -> str:
        """How much of their time the workers waited; empty where it isn't known."""
        if self.span_seconds <= 0:
            return ""
        waited = max(self.span_seconds - self.busy_seconds, 0.0)
        share = 100 * waited / self.span_seconds
        crew = f"{self.workers} worker{'s' if self.workers > 1 else ''}"
        return f"{crew} idle for {share:.0f} % of the time ({duration(waited)})"


class Studies:
    """Starts the process when made; ``facts`` waits for its answers."""

    def __init__(self, sweeps: Sequence[Tried]) -> None:
        self._sweeps = list(sweeps[:_MOST_SWEEPS])
        self._process: subprocess.Popen[str] | None = None
        if self._sweeps:
            self._process = _start()
        self._request = json.dumps([_request(one) for one in self._sweeps])

    def facts(self, problems: list[str]) -> list[tuple[Tried, StudyStats]]:
        """Facts of each sweep; a study that cannot be read has none, and a line in ``problems``."""
        if self._process is None:
            return []
        try:
            answers, errors = self._process.communicate(self._request, timeout=TIMEOUT_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.communicate()
            answers, errors = "", f"not done after {TIMEOUT_SECONDS:.0f} s"
        if self._process.returncode != 0:
            last = (errors.strip().splitlines() or ["no message"])[-1]
            problems.append(f"hyperparameter importances: {last}")
            return [(one, StudyStats()) for one in self._sweeps]
        found = []
        for one, answer in zip(self._sweeps, json.loads(answers), strict=True):
            if "error" in answer:
                problems.append(f"{one.sweep.journal or one.sweep.folder}: {answer.pop('error')}")
            found.append((one, StudyStats(**answer)))
        return found


def _start() -> subprocess.Popen[str]:
    package = str(Path(cnnsweep.__file__).parent.parent)
    path = os.pathsep.join([package, *filter(None, [os.environ.get("PYTHONPATH")])])
    return subprocess.Popen(
        [sys.executable, "-m", "cnnsweep.report.study.study_stats_process"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": path},
    )


def _request(one: Tried) -> dict[str, Any]:
    journal = one.sweep.journal
    keys = [key for key in one.keys if not one.lacks(key)]  # as Optuna does with a study's own
    columns = {key: one.column(key)[:_MOST_TRIALS] for key in keys}
    return {
        "journal": None if journal is None else str(journal.absolute()),
        "workers": one.sweep.n_jobs,
        "stacked": one.sweep.stacked,
        "maximize": one.metric.maximize,
        "values": one.values[:_MOST_TRIALS],
        "params": {k: numbers(v) or [shown(value) for value in v] for k, v in columns.items()},
    }
