"""How long a report takes, and how much memory: ``python -m benchmarks.report [RUNS ...]``.

Makes run folders in a temporary directory (a third of them trials of a search, the others a grid
of models, learning rates and seeds), then times the whole command: first call, second call, and
the terminal's answer alone. CPU time (of all its processes) beside the clock tells whether the
machine had other work. Peak memory is that of the command.
"""

import os
import platform
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tests.report.made_runs import LEVEL, Job, make_run
from tests.report.made_sweeps import make_sweep

_RATES = (0.003, 0.01, 0.03, 0.1)


def make(folder: Path, runs: int) -> None:
    """``runs`` run folders, with the files and sizes of real ones."""
    make_sweep(folder / "search", trials=runs // 3, confirm=5, epochs=10, images=1000)
    grid = folder / "grid"
    grid.mkdir()
    (grid / "multirun.yaml").write_text("hydra:\n  sweeper:\n    max_batch_size: null\n")
    for number in range(runs - runs // 3 - 5):
        model = list(LEVEL)[number % len(LEVEL)]
        rate, seed = _RATES[number // len(LEVEL) % len(_RATES)], number // 20
        job = Job(model, seed, epochs=10, mode="MULTIRUN", changes={"optim.lr": rate})
        job.images = 1000 if number < 200 else 0
        make_run(grid / str(number), job)


def timed(folder: Path, *options: str) -> tuple[float, float, float]:
    """Seconds, seconds of CPU (of all its processes) and peak memory in MiB of one call."""
    start = time.perf_counter()
    command = [sys.executable, "-m", "cnnsweep.report", str(folder), *options]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    if status != 0:
        raise SystemExit(f"the report ended with status {status}")
    seconds = time.perf_counter() - start
    return seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def main(words: list[str]) -> None:
    """Print the table."""
    before = os.getloadavg()[0]
    table = Table(title="python -m cnnsweep.report: seconds (of CPU)")
    for name in ("runs", "first call", "second call", "terminal only", "peak memory", "page"):
        table.add_column(name, justify="right")
    for runs in map(int, words or ["1000", "10000"]):
        with tempfile.TemporaryDirectory() as folder:
            make(Path(folder), runs)
            calls = [timed(Path(folder), *words) for words in ((), (), ("--format", "none"))]
            page = (Path(folder) / "report" / "index.html").stat().st_size / 2**20
        seconds = [f"{wall:.1f} s ({cpu:.1f})" for wall, cpu, _ in calls]
        table.add_row(f"{runs:,}", *seconds, f"{calls[0][2]:.0f} MiB", f"{page:.1f} MiB")
    console = Console(width=110)
    console.print(table)
    console.print(
        f"{len(os.sched_getaffinity(0))} cores, load before: {before:.1f} ({platform.machine()}, "
        f"Python {platform.python_version()})"
    )


if __name__ == "__main__":
    main(sys.argv[1:])
