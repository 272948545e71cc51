"""What the runs of `gpu.sh` left, as CSV: ``python -m benchmarks.gpu_tables RUNS OUT``.

``networks.csv`` and ``recipes.csv`` have a row a run (folders that begin with networks or recipes,
and grids of that name), with the last epoch's rate and the median of all but the first.
``searches.csv`` has a row a sweep (folders search_*), with trials an hour from its first trial's
start to its last one's end. Only what is complete has a row. Runs again after each part.
"""

import argparse
import csv
import json
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.machine import facts
from benchmarks.rows import write_csv

PUBLISHED = 55_296.6  # images a second: LeNet on Fashion-MNIST, batches of 256, on a GPU


def main(words: Sequence[str] | None = None) -> None:
    """Write the tables that have a row."""
    arguments = _arguments(words)
    about = facts(("torch", "torchvision", "triton", "cnnsweep")) | {"gpus": gpus()}
    about["command"] = arguments.called
    tables = {
        "networks.csv": list(_runs(arguments.runs, ("networks", "killed", "unbroken"))),
        "recipes.csv": list(_runs(arguments.runs, ("recipes",))),
        "searches.csv": list(_searches(arguments.runs)),
    }
    for name, rows in tables.items():
        if rows:
            write_csv(arguments.out / name, rows, about)


def _arguments(words: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.gpu_tables", description=__doc__)
    parser.add_argument("runs", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--called", default="bash benchmarks/gpu.sh", help="the command, recorded")
    return parser.parse_args(words)


def gpus() -> str:
    """Each GPU's name, driver and memory, as the driver says; without a driver "none"."""
    asked = "--query-gpu=name,driver_version,memory.total"
    words = ("nvidia-smi", asked, "--format=csv,noheader")
    try:
        done = subprocess.run(words, capture_output=True, text=True, timeout=20, check=True)
    except (OSError, subprocess.SubprocessError):
        return "none"
    return "; ".join(done.stdout.splitlines())


def _runs(runs: Path, beginnings: tuple[str, ...]) -> Iterator[dict[str, Any]]:
    for file in sorted([*runs.glob("*/result.json"), *runs.glob("*/*/result.json")]):
        top = file.relative_to(runs).parts[0]
        if not top.startswith(beginnings):
            continue
        said = json.loads(file.read_text())
        with (file.parent / "metrics.csv").open() as lines:
            rates = [float(row["images_per_second"]) for row in csv.DictReader(lines)]
        typed = [word for word in _overrides(file.parent) if _tells_apart(word)]
        later = rates[1:] or rates
        is_lenet = top == "networks_lenet_256"
        yield {
            "run": str(file.parent.relative_to(runs)),
            "keys": " ".join(typed),
            "gpu": said["hardware"]["gpu"],
            "precision": said["precision"],
            "epochs": said["epochs"],
            "train_seconds": said["train_seconds"],
            "n_epochs_after_first": len(rates[1:]),
            "median_images_per_second": round(median(later)) if later else None,
            "last_epoch_images_per_second": round(rates[-1]) if rates else None,
            "to_published": round(median(later) / PUBLISHED, 3) if later and is_lenet else None,
            "test_accuracy": said["test_accuracy"],
            "status": said["status"],
            "error": said["error"],
            "torch": said["versions"]["torch"],
        }


def _overrides(run: Path) -> list[str]:
    """What was typed for a run, as Hydra recorded it."""
    file = run / ".hydra" / "overrides.yaml"
    lines = file.read_text().splitlines() if file.exists() else []
    return [line.removeprefix("- ").strip("'\"") for line in lines if line.startswith("- ")]


def _tells_apart(word: str) -> bool:
    names = ("model", "experiment", "graph", "data.batch_size", "data.train_limit", "deterministic")
    return word.partition("=")[0] in names


def _searches(runs: Path) -> Iterator[dict[str, Any]]:
    for folder in sorted(runs.glob("search_*")):
        trials = [
            file.parent for file in folder.glob("*/result.json") if file.parent.name.isdigit()
        ]
        if not trials:
            continue
        said = [json.loads((trial / "result.json").read_text()) for trial in trials]
        began = min((trial / "config.yaml").stat().st_mtime for trial in trials)
        ended = max((trial / "result.json").stat().st_mtime for trial in trials)
        span = ended - began
        started = folder / "multirun.yaml"  # written by Hydra as it hands over to the sweeper
        first = started.stat().st_mtime if started.exists() else began
        trained = sum(one["epochs"] or 0 for one in said)
        statuses = [one["status"] for one in said]
        accuracies = [one["val_accuracy"] for one in said if one["val_accuracy"] is not None]
        yield {
            "search": folder.name.removeprefix("search_"),
            "gpu": said[0]["hardware"]["gpu"],
            "trials": len(trials),
            "completed": statuses.count("completed"),
            "failed": statuses.count("failed"),
            "paused_or_pruned": statuses.count("paused") + statuses.count("pruned"),
            "epochs": trained,
            "seconds": round(span, 2),
            "trials_per_hour": round(3600 * len(trials) / span) if span else None,
            "epochs_per_hour": round(3600 * trained / span) if span else None,
            "seconds_before_the_first": round(began - first, 2),
            "sum_of_train_seconds": round(sum(one["train_seconds"] or 0 for one in said), 2),
            "largest_stack": max((one.get("stack") or 1 for one in said), default=1),
            "best_val_accuracy": max(accuracies, default=None),
            "torch": said[0]["versions"]["torch"],
        }


if __name__ == "__main__":
    main()
