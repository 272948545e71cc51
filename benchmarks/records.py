"""How fast 99 % on MNIST and 92 % on Fashion-MNIST can be had: ``python -m benchmarks.records``.

The fast recipes beside mnist_simple, each run the command that anybody types, taking turns seed by
seed. The seconds are those of training (``train_seconds``): reading the files, evaluation and start
are left out. mnist_simple has a constant learning rate, so that its run of five epochs holds those
of one to five: the seconds that count are those to its first epoch with 99 %, or to its best one.

Without ``--rehearse`` the recipes train on all images and read the test split once, at the end.
mnist_simple's accuracy after each epoch, which chooses nothing of ours, is read from it too.
"""

import argparse
import csv
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import mean, stdev
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

from benchmarks.machine import facts
from benchmarks.rows import RESULTS, print_rows, write_csv
from cnnsweep.report.stats.intervals import half_width

BASELINE = "mnist_simple"
AIMS = {BASELINE: 0.99, "mnist_fast": 0.99, "fashion_fast": 0.92}
POLL_SECONDS = 0.1
REHEARSAL = ("data.val_fraction=0.16667", "test=false")


class Epoch(NamedTuple):
    """Seconds of training up to its end, and the accuracy then, in 0..1."""

    seconds: float
    accuracy: float


def main(words: Sequence[str] | None = None) -> None:
    """Measure, print a line a run and the table, write the CSV after each run."""
    arguments = _arguments(words)
    about = facts(("torch", "cnnsweep"))
    about["split"] = "validation" if arguments.rehearse else "test"
    rows: list[dict[str, Any]] = []
    for seed in range(arguments.seeds):
        for recipe in arguments.only:
            if recipe != BASELINE or seed < arguments.baseline_seeds:
                rows.append(_measured(recipe, seed, arguments))
                print(rows[-1], flush=True)
                write_csv(arguments.out, rows, about)
    print_rows([_standing(recipe, rows) for recipe in arguments.only])


def _arguments(words: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.records", description=__doc__)
    add = parser.add_argument
    add("--data", type=Path, required=True, help="folder with MNIST/raw and FashionMNIST/raw")
    add("--only", nargs="+", choices=AIMS, default=list(AIMS), metavar="RECIPE")
    add("--seeds", type=int, default=30)
    add("--baseline-seeds", type=int, default=3, help=f"of them, so many with {BASELINE}, too")
    add("--threads", default="2", help="as the key of cnnsweep")
    add("--rehearse", action="store_true", help="with a validation split; the test split is left")
    add("--more", nargs="*", default=[], metavar="KEY=VALUE", help="more keys for every run")
    add("--out", type=Path, default=RESULTS / "records.csv")
    return parser.parse_args(words)


def _measured(recipe: str, seed: int, arguments: argparse.Namespace) -> dict[str, Any]:
    """A row: what the run took to its aim, or to its best epoch where it is the baseline."""
    load = os.getloadavg()[0]
    with TemporaryDirectory() as place:
        run = Path(place) / "run"
        kept = _train(recipe, seed, run, arguments)
        result = json.loads((run / "result.json").read_text())
        epochs = list(_epochs(run, kept))
    split = "val" if arguments.rehearse else "test"
    reached, epoch = len(epochs), epochs[-1]
    if recipe == BASELINE:
        reached, epoch = _reached(epochs, AIMS[recipe])
    else:
        epoch = Epoch(result["train_seconds"], result[f"{split}_accuracy"])
    return {
        "recipe": recipe,
        "seed": seed,
        "threads": result["threads"],
        "train_seconds": round(epoch.seconds, 3),
        f"{split}_accuracy": round(epoch.accuracy, 5),
        "epoch": reached,
        "images_per_second": result["images_per_second"],
        "load": round(load, 1),
    }


def _reached(epochs: Sequence[Epoch], aim: float) -> tuple[int, Epoch]:
    """The first epoch with the aim, else the first of the best ones, and its number."""
    goal = min(aim, max(epoch.accuracy for epoch in epochs))
    return next((n, e) for n, e in enumerate(epochs, 1) if e.accuracy >= goal)


def _train(recipe: str, seed: int, run: Path, arguments: argparse.Namespace) -> list[Path]:
    """Train; returns, of the baseline's test runs, a folder with the weights of each epoch."""
    command = [
        *(sys.executable, "-m", "cnnsweep", f"experiment={recipe}", f"seed={seed}"),
        *(f"data.root={arguments.data.absolute()}", f"threads={arguments.threads}"),
        *("pictures=false", f"hydra.run.dir={run}"),
        *(REHEARSAL if arguments.rehearse else ()),
        *arguments.more,
    ]
    output = run.parent / "output.txt"
    kept: list[Path] = []
    keeps = recipe == BASELINE and not arguments.rehearse
    with output.open("w") as file:
        process = subprocess.Popen(command, stdout=file, stderr=file)
        while process.poll() is None:
            time.sleep(POLL_SECONDS)
            if keeps and len(_rows_of(run)) > len(kept):
                kept.append(_copied(run, len(kept) + 1))
    if process.returncode != 0:
        raise SystemExit(f"{recipe} ended with {process.returncode}:\n{output.read_text()}")
    if keeps and len(_rows_of(run)) > len(kept):
        kept.append(_copied(run, len(kept) + 1))
    return kept


def _copied(run: Path, epoch: int) -> Path:
    """A folder that holds what a run is after an epoch, which it has just written whole."""
    folder = run.parent / f"epoch_{epoch}"
    folder.mkdir()
    for name in ("config.yaml", "best.pt"):
        shutil.copy(run / name, folder)
    return folder


def _rows_of(run: Path) -> list[dict[str, str]]:
    try:
        with (run / "metrics.csv").open(newline="", encoding="utf-8") as file:
            return list(csv.DictReader(file))
    except FileNotFoundError:
        return []


def _epochs(run: Path, kept: Sequence[Path]) -> Iterator[Epoch]:
    """Each epoch with its validation accuracy, or its test accuracy where weights were kept."""
    seconds = 0.0
    for number, row in enumerate(_rows_of(run)):
        seconds += float(row["train_seconds"])
        accuracy = _test_accuracy(kept[number], number + 1) if kept else row["val_accuracy"] or 0
        yield Epoch(seconds, float(accuracy))


def _test_accuracy(folder: Path, epoch: int) -> float:
    import torch

    from cnnsweep.data.mnist import mnist
    from cnnsweep.task.load_model import load_model

    torch.set_num_threads(1)  # several beside a busy program all but stand still
    loaded = load_model(folder)
    assert loaded.epoch == epoch
    test = mnist(root=loaded.config.data.root, download=False).test()
    with torch.inference_mode():
        answers = torch.cat([loaded.network(x).argmax(1) for x in test.pixels.split(1000)])
    return float((answers == test.labels).double().mean())


def _standing(recipe: str, rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Means of a recipe's runs, with 95 % intervals, and its share of the baseline's seconds."""
    mine = {row["seed"]: row for row in rows if row["recipe"] == recipe}
    baseline = {row["seed"]: row for row in rows if row["recipe"] == BASELINE}
    split = "val_accuracy" if "val_accuracy" in rows[0] else "test_accuracy"
    ratios = [
        baseline[seed]["train_seconds"] / row["train_seconds"]
        for seed, row in mine.items()
        if seed in baseline
    ]
    return {
        "recipe": recipe,
        "n": len(mine),
        f"{split}_percent": _with_interval([100 * row[split] for row in mine.values()]),
        "aim_percent": 100 * AIMS[recipe],
        "train_seconds": _with_interval([row["train_seconds"] for row in mine.values()]),
        f"times_as_fast_as_{BASELINE}": _with_interval(ratios) if ratios else "",
    }


def _with_interval(values: Sequence[float]) -> str:
    half = half_width(stdev(values), len(values)) if len(values) > 1 else None
    if half is None:
        return f"{mean(values):.3f}"
    return f"{mean(values):.3f} ± {half:.3f}"


if __name__ == "__main__":
    main()
