"""How many threads ``threads=auto`` takes: ``python -m benchmarks.thread_choice``.

Milliseconds of a step by number of threads, and the number that is chosen, for each network and
batch size, on images of MNIST's shape: what a run does before its first epoch, several times.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from types import SimpleNamespace
from typing import Any

import torch

from benchmarks.contestants import Case, Sizes, composed
from benchmarks.machine import facts
from benchmarks.peers.article import NETWORKS
from benchmarks.rows import RESULTS, print_rows, write_csv
from cnnsweep.machine.cores import usable_cores
from cnnsweep.models.cpu_forms import for_cpu
from cnnsweep.session import build
from cnnsweep.training.busy_machine import minding_other_programs
from cnnsweep.training.device import keep_freed_memory
from cnnsweep.training.threads import time_steps, trial_step, worthwhile


def main(words: Sequence[str] | None = None) -> None:
    """Measure, print the table, write the CSV."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.thread_choice", description=__doc__)
    parser.add_argument("--models", nargs="+", default=list(NETWORKS), choices=NETWORKS)
    parser.add_argument("--batch-sizes", nargs="+", type=int, default=[32, 64, 256])
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--out", type=Path, default=RESULTS / "thread_choice.csv")
    arguments = parser.parse_args(words)
    keep_freed_memory()
    rows = []
    for model in arguments.models:
        for batch_size in arguments.batch_sizes:
            rows.append(_row(model, batch_size, arguments.repeats))
            print(rows[-1], flush=True)
    write_csv(arguments.out, rows, facts(("torch", "cnnsweep")))
    print_rows(rows)


def _row(model: str, batch_size: int, repeats: int) -> dict[str, Any]:
    most = usable_cores()
    step = _step(model, batch_size)
    with minding_other_programs(most):
        found = [time_steps(step, most) for _ in range(repeats)]
    row: dict[str, Any] = {"model": model, "batch_size": batch_size}
    for number in found[0]:
        row[f"ms_{number}"] = round(1e3 * median(min(seconds[number]) for seconds in found), 2)
    chosen = [worthwhile(seconds, most) for seconds in found]
    return row | {"chosen": " ".join(map(str, chosen)), "n": repeats}


def _step(model: str, batch_size: int) -> Any:
    case = Case(model, "channels_last", "float32", batch_size, batch_size, "cpu", Path())
    images, labels = torch.randn(batch_size, 1, 28, 28), torch.randint(10, (batch_size,))
    with composed(case, epochs=1) as config:
        network = build.make_model(config, Sizes(), starts_anew=True)
    for_cpu(network)
    parts = SimpleNamespace(
        model=network.to(memory_format=torch.channels_last),
        prepare=torch.nn.Module.train,
        train=[(images.to(memory_format=torch.channels_last), labels)],
        loss=torch.nn.CrossEntropyLoss(),
        cast=torch.enable_grad(),
    )
    return trial_step(parts)  # type: ignore[arg-type]


if __name__ == "__main__":
    main()
