"""The same grid three ways: ``python -m benchmarks.grid [--rounds 3] [--workers 2]``.

Twelve jobs, two networks × six seeds on the embedded digits, with the README's defaults: by
cnnsweep, by Hydra's basic sweeper (one job after the other, on all cores) and by that with Hydra's
joblib launcher (as many jobs at a time as cnnsweep's, one thread each, as cnnsweep's have). The
task is the same command; only what runs its jobs differs, and cnnsweep writes a report besides.
Each contestant runs alone; rounds alternate, each begun by another one. Wall time counts from the
start of the command to its end.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import mean
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.machine import facts
from benchmarks.rows import RESULTS, print_rows, write_csv

GRID = ("model=simple,lenet", "seed=0,1,2,3,4,5")
OURS, BASIC, JOBLIB = "cnnsweep", "hydra basic", "hydra basic + joblib"


def main(words: Sequence[str] | None = None) -> None:
    """Run the rounds, print the tables, write the CSV."""
    arguments = _arguments(words)
    about = facts(("torch", "cnnsweep", "hydra-core", "hydra-joblib-launcher", "joblib"))
    about |= {
        "workers": str(arguments.workers),
        "n": f"{arguments.rounds} rounds",
        "grid": str(GRID),
    }
    names = [OURS, BASIC, JOBLIB]
    rows: list[dict[str, Any]] = []
    with TemporaryDirectory() as scratch:
        for number in range(arguments.rounds):
            turn = number % len(names)
            found = {
                name: _run(name, Path(scratch) / f"{number}-{names.index(name)}", arguments)
                for name in [*names[turn:], *names[:turn]]
            }
            rows += [_row(number, name, found) for name in names]
            write_csv(arguments.out, rows, about)  # after each: what is stopped keeps the rest
    print_rows(rows)
    print_rows([_standing(name, rows) for name in names])


def _arguments(words: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.grid", description=__doc__)
    add = parser.add_argument
    add("--rounds", type=int, default=3)
    add("--workers", type=int, default=2)
    add("--more", nargs="*", default=[], help="overrides for all three, e.g. epochs=1")
    add("--out", type=Path, default=RESULTS / "grid.csv")
    return parser.parse_args(words)


def _run(name: str, place: Path, arguments: argparse.Namespace) -> dict[str, Any]:
    chosen = {
        OURS: [f"hydra.sweeper.n_jobs={arguments.workers}"],
        BASIC: ["hydra/sweeper=basic"],
        JOBLIB: [
            *("hydra/sweeper=basic", "hydra/launcher=joblib", "threads=1"),
            f"hydra.launcher.n_jobs={arguments.workers}",
        ],
    }[name]
    place.mkdir()
    command = [sys.executable, "-m", "cnnsweep", "--multirun", *GRID, *chosen, *arguments.more]
    environment = dict(os.environ) | {"PYTHONPATH": str(Path.cwd())}
    environment.pop("OMP_NUM_THREADS", None)  # each has the threads that it gives itself
    load, started = os.getloadavg()[0], time.time()
    with (place / "output.txt").open("w") as output:
        done = subprocess.run(
            [*command, f"hydra.sweep.dir={place / 'sweep'}"],
            cwd=place,
            env=environment,
            stdout=output,
            stderr=output,
            check=False,
        )
    seconds = time.time() - started
    if done.returncode != 0:
        raise SystemExit(
            f"{name} ended with {done.returncode}:\n{(place / 'output.txt').read_text()}"
        )
    results = [json.loads(path.read_text()) for path in sorted(place.glob("sweep/*/result.json"))]
    accuracies = [result["test_accuracy"] for result in results]
    print(f"{name}: {len(results)} jobs in {seconds:.1f} s, load {load:.1f}", flush=True)
    return {"seconds": seconds, "load": load, "accuracies": accuracies}


def _row(number: int, name: str, found: dict[str, dict[str, Any]]) -> dict[str, Any]:
    own, ours = found[name], found[OURS]
    return {
        "contestant": name,
        "round": number,
        "seconds": round(own["seconds"], 1),
        "share_of_basics": round(own["seconds"] / found[BASIC]["seconds"], 3),
        "share_of_joblibs": round(own["seconds"] / found[JOBLIB]["seconds"], 3),
        "jobs": len(own["accuracies"]),
        "mean_test_accuracy": round(mean(own["accuracies"]), 4),
        "equal_to_cnnsweeps": own["accuracies"] == ours["accuracies"],
        "load": round(own["load"], 1),
    }


def _standing(name: str, rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Means, and the least and greatest, over the rounds."""
    mine = [row for row in rows if row["contestant"] == name]
    return {"contestant": name, "n": len(mine)} | {
        key: f"{mean(row[key] for row in mine):.2f} "
        f"({min(row[key] for row in mine):.2f}–{max(row[key] for row in mine):.2f})"
        for key in ("seconds", "share_of_basics", "share_of_joblibs")
    }


if __name__ == "__main__":
    main()
