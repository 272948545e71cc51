"""Does bfloat16 cost accuracy? ``python -m benchmarks.precision [--data DIR] [--models …]``.

The same runs in float32 and in bfloat16, a few thousand images and five seeds each; validation
accuracy, its mean and deviation over the seeds, and the mean of the paired differences with its
95 % interval (Student's t).
"""

import argparse
from collections.abc import Sequence
from pathlib import Path
from statistics import mean, stdev
from tempfile import TemporaryDirectory
from typing import Any

import hydra
from hydra.utils import execution_whitelist

from benchmarks.images import mnist_folder
from benchmarks.machine import facts
from benchmarks.rows import RESULTS, print_rows, write_csv
from cnnsweep import run as cnnsweep_run
from cnnsweep.config import CONF_DIR
from cnnsweep.config.allowed_targets import allowed_targets
from cnnsweep.folders.result import Outcome
from cnnsweep.folders.run_folder import RunFolder
from cnnsweep.report.stats.significance import paired_t
from cnnsweep.session.progress import RunProgress


def main(words: Sequence[str] | None = None) -> None:
    """Measure, print the table, write the CSV: a row a model."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.precision", description=__doc__)
    parser.add_argument("--data", type=Path, help="folder with MNIST/raw; made-up without it")
    parser.add_argument("--models", nargs="+", default=["simple", "inception", "resnet"])
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--images", type=int, default=5000, help="a fifth is for validation")
    parser.add_argument("--epochs", type=int, default=4)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--out", type=Path, default=RESULTS / "precision.csv")
    arguments = parser.parse_args(words)
    about = facts(("torch", "cnnsweep"))
    vars(cnnsweep_run)["make_progress"] = RunProgress
    rows = []
    with mnist_folder(arguments.data) as (folder, data):
        for model in arguments.models:
            rows.append(_compared(model, folder, arguments))
            print(rows[-1], flush=True)
    write_csv(arguments.out, rows, about | {"data": data})
    print_rows(rows)


def _compared(model: str, folder: Path, arguments: argparse.Namespace) -> dict[str, Any]:
    found: dict[str, list[float]] = {"float32": [], "bfloat16": []}
    for seed in range(arguments.seeds):
        for precision, accuracies in found.items():
            accuracies.append(_accuracy(model, precision, seed, folder, arguments))
    difference = paired_t(found["bfloat16"], found["float32"])
    half = difference.half_width or 0.0
    row: dict[str, Any] = {"model": model, "n": arguments.seeds}
    for precision, accuracies in found.items():
        row[f"{precision}_mean"] = round(mean(accuracies), 4)
        row[f"{precision}_deviation"] = round(stdev(accuracies), 4)
    row["difference"] = round(difference.mean, 4)
    row["difference_least"] = round(difference.mean - half, 4)
    row["difference_greatest"] = round(difference.mean + half, 4)
    return row


def _accuracy(
    model: str, precision: str, seed: int, folder: Path, arguments: argparse.Namespace
) -> float:
    words = [
        *(f"model={model}", f"precision={precision}", f"seed={seed}", "data=mnist"),
        *(f"data.root={folder}", f"data.train_limit={arguments.images}", "data.val_fraction=0.2"),
        *(f"epochs={arguments.epochs}", f"threads={arguments.threads}", "optim.momentum=0.9"),
        *("device=cpu", "test=false", "pictures=false"),
    ]
    with (
        TemporaryDirectory() as scratch,
        hydra.initialize_config_dir(str(CONF_DIR)),
        execution_whitelist(allowed_targets()),
    ):
        outcome = Outcome(seed=seed, device="cpu", precision=precision, threads=arguments.threads)
        cnnsweep_run.run(hydra.compose("config", words), RunFolder(Path(scratch)), outcome)
    assert outcome.val_accuracy is not None
    return outcome.val_accuracy


if __name__ == "__main__":
    main()
