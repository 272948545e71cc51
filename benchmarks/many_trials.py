"""What each of many no-op trials costs, hundred by hundred: a part of overhead.py.

The search is one as users type it, but for its task (noop_app.py), with the default pruner and
storage. Seconds are those between the lines that it prints; CPU time is that of all its processes.
"""

import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from itertools import pairwise
from pathlib import Path
from statistics import fmean
from tempfile import TemporaryDirectory

import psutil

HERE = Path(__file__).parent
SEARCHES = (("random", 5000), ("tpe", 2000))  # samplers, and how many trials
WORKERS = (1, 2)
_EACH, _ENDS = 100, 500  # trials: between two looks, and at both ends
Moment = tuple[float, float]  # of a clock, CPU time of all processes


def figures(environment: Mapping[str, str], share: float) -> Iterator[tuple[str, str, list[float]]]:
    """What was measured, its unit and each value; ``share`` of the trials, where time is short."""
    for sampler, count in SEARCHES:
        for workers in WORKERS:
            trials = max(2 * _EACH, round(share * count))
            moments = _search(sampler, trials, workers, environment)
            name = f"{sampler}, {trials:,} trials, {workers} worker{'s' * (workers > 1)}"
            for number, kind in enumerate(("wall", "CPU")):
                clock = [moment[number] for moment in moments]
                each = [1e3 * (b - a) / _EACH for a, b in pairwise(clock)]
                ends = max(1, min(_ENDS // _EACH, len(each) // 2))
                first, last = fmean(each[:ends]), fmean(each[-ends:])
                yield f"{name}: a trial of each hundred, {kind} time", "ms", each
                yield f"{name}: a trial of the first {ends * _EACH}, {kind} time", "ms", [first]
                yield f"{name}: a trial of the last {ends * _EACH}, {kind} time", "ms", [last]
                yield f"{name}: last to first, {kind} time", "", [last / first]


def _search(
    sampler: str, trials: int, workers: int, environment: Mapping[str, str]
) -> list[Moment]:
    """When the first trial and each hundredth were over."""
    moments = []
    with TemporaryDirectory() as folder:
        words = (
            *("--multirun", "hydra/sweeper=optuna", f"hydra/sweeper/sampler={sampler}"),
            *(f"hydra.sweeper.n_jobs={workers}", "hydra.sweeper.direction=minimize"),
            *("x=interval(0, 1)", f"hydra.sweeper.n_trials={trials}"),
            f"hydra.sweep.dir={folder}/sweep",
        )
        app = [sys.executable, str(HERE / "noop_app.py")]
        with subprocess.Popen(
            [*app, *words], env=environment, stdout=subprocess.PIPE, text=True
        ) as process:
            assert process.stdout is not None
            over = 0
            for line in process.stdout:
                if line.startswith("trial "):
                    if over % _EACH == 0:
                        moments.append((time.perf_counter(), _cpu(process.pid)))
                    over += 1
        if process.returncode != 0:
            raise SystemExit(f"a search of no-op trials ended with {process.returncode}")
    return moments


def _cpu(pid: int) -> float:
    process = psutil.Process(pid)
    return sum(sum(one.cpu_times()[:2]) for one in (process, *process.children(recursive=True)))
