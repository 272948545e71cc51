"""Images a second: ``python -m benchmarks.throughput [--data DIR] [--device cuda] …``.

Three contestants take turns, epoch by epoch, with the same number of threads: the articles' loop
(in a process of its own), a bare loop over tensors on the device, and cnnsweep with everything it
does (display, figures, log, checkpoints); these two share a process, and how it treats memory.
Noise that lasts longer than a round falls on all alike; a ratio is taken in each round, and its
median and range are shown. From six rounds on the CSV has the median's 95 % interval too.
"""

import argparse
import itertools
import os
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

import torch
from rich.console import Console
from rich.table import Table
from scipy import special

from benchmarks.contestants import (
    Case,
    Sizes,
    alternate,
    article_process,
    bare_epoch,
    composed,
    resident,
)
from benchmarks.images import mnist_folder
from benchmarks.machine import facts
from benchmarks.peak import flops_per_image, matmul_flops
from benchmarks.peers.article import NETWORKS
from benchmarks.rows import RESULTS, write_csv
from cnnsweep.session import build
from cnnsweep.training.device import name_of_gpu

_DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16}
_BESIDE = ("article", "bare")
_SHOWN = (
    "model", "layout", "precision", "batch_size", "graph",
    "article_images_per_second", "bare_images_per_second", "cnnsweep_images_per_second",
    "cnnsweep_to_article", "cnnsweep_to_bare", "cnnsweep_to_bare_cpu", "share_of_peak",
)  # fmt: skip


def main(words: Sequence[str] | None = None) -> None:
    """Measure, print the table, write the CSV."""
    arguments = _arguments(words)
    if arguments.device.startswith("cuda") and not torch.cuda.is_available():
        print(f"skipped: --device {arguments.device}, and torch sees no CUDA device here")
        return
    if arguments.threads is not None:
        torch.set_num_threads(arguments.threads)
    about = facts(("torch", "torchvision", "cnnsweep"))
    peaks = {name: matmul_flops(arguments.device, _DTYPES[name]) for name in arguments.precisions}
    about |= {
        "gpu": str(name_of_gpu(torch.device(arguments.device))),
        "threads": str(torch.get_num_threads()),
        "article": f"num_workers={arguments.article_workers}, default layout, float32",
        "rounds": f"{arguments.rounds} (and one to warm up); ratios: median (least to greatest)",
        "peak": ", ".join(f"{n} {flops / 1e9:.0f} GFLOP/s" for n, flops in peaks.items()),
    }
    rows = []
    with mnist_folder(arguments.data) as (folder, data), TemporaryDirectory() as scratch:
        about["data"] = f"{arguments.images:,} images of {data} an epoch"
        for number, case in enumerate(_cases(arguments, folder)):
            row = _measure(case, arguments, Path(scratch) / str(number), peaks[case.precision])
            rows.append(row)
            write_csv(arguments.out, rows, about)  # after each: whoever stops it keeps the rest
            print("  ".join(f"{row.get(name, '-')}" for name in _SHOWN), flush=True)
    _show(rows, about)


def _arguments(words: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.throughput", description=__doc__)
    add = parser.add_argument
    add("--data", type=Path, help="folder with MNIST/raw; made-up images without it")
    add("--device", default="cpu")
    add("--threads", type=int, help="CPU threads of all contestants; default: torch's")
    add("--models", nargs="+", default=list(NETWORKS), choices=NETWORKS)
    add("--layouts", nargs="+", default=["contiguous", "channels_last"])
    add("--precisions", nargs="+", default=list(_DTYPES), choices=_DTYPES)
    add("--batch-sizes", nargs="+", type=int, default=[64, 256])
    add("--graph", action="store_true", help="cnnsweep's steps as CUDA graphs (graph=true)")
    add("--images", type=int, default=10_000, help="images an epoch")
    add("--rounds", type=int, default=3, help="timed epochs of each contestant")
    add("--beside", nargs="+", default=list(_BESIDE), choices=_BESIDE, help="who takes turns")
    add("--article-workers", type=int, default=0, help="loader processes of the articles' loop")
    add("--out", type=Path, default=RESULTS / "throughput.csv")
    return parser.parse_args(words)


def _cases(arguments: argparse.Namespace, folder: Path) -> list[Case]:
    grid = itertools.product(
        arguments.models, arguments.layouts, arguments.precisions, arguments.batch_sizes
    )
    more = arguments.images, arguments.device, folder, arguments.graph
    return [Case(*point, *more) for point in grid]


def _measure(
    case: Case, arguments: argparse.Namespace, folder: Path, peak: float
) -> dict[str, Any]:
    others: dict[str, Callable[[], None]] = {}
    with ExitStack() as stack:
        if "article" in arguments.beside:
            process = article_process(case, arguments.article_workers)
            others["article"] = stack.enter_context(process)
        if "bare" in arguments.beside:
            others["bare"] = bare_epoch(case)
        taken = alternate(case, others, arguments.rounds, folder)
    seconds = taken.seconds
    rates = {name: case.images / median(times) for name, times in seconds.items()}
    row: dict[str, Any] = {
        "model": case.model,
        "layout": case.layout,
        "precision": case.precision,
        "batch_size": case.batch_size,
        "graph": case.graph,
    }
    row |= {f"{name}_images_per_second": round(rates[name]) for name in sorted(rates)}
    for name in others:
        row |= _ratios(f"cnnsweep_to_{name}", seconds[name], seconds["cnnsweep"])
    if "bare" in others:
        cpu = taken.cpu_seconds
        row |= _ratios("cnnsweep_to_bare_cpu", cpu["bare"], cpu["cnnsweep"])
    row["share_of_peak"] = round(rates["cnnsweep"] * _flops(case) / peak, 4)
    row["load"] = round(os.getloadavg()[0], 1)  # above the threads: others were at work too
    return row


def _ratios(name: str, theirs: list[float], ours: list[float]) -> dict[str, float]:
    """How many times as fast we are, in each round: median, least, greatest, median's interval.

    The interval lies between two of the ratios themselves (binomial, no distribution assumed).
    """
    ratios = sorted(b / c for b, c in zip(theirs, ours, strict=True))
    found = {name: median(ratios), f"{name}_least": ratios[0], f"{name}_greatest": ratios[-1]}
    # The interval's ends, counted from either side; 0 where there are too few for 95 %.
    place = int((special.bdtr(range(len(ratios)), len(ratios), 0.5) <= 0.025).sum())
    if place > 0:
        found |= {f"{name}_low": ratios[place - 1], f"{name}_high": ratios[-place]}
    return {key: round(ratio, 3) for key, ratio in found.items()}


def _flops(case: Case) -> float:
    images, labels = resident(case)
    few = images[: case.batch_size]
    few = few.permute(0, 3, 1, 2) if case.layout == "channels_last" else few
    with composed(case, epochs=1) as config:
        model = build.make_model(config, Sizes(), starts_anew=True).to(case.device)
    return flops_per_image(model, few, labels[: case.batch_size])


def _show(rows: Sequence[dict[str, Any]], about: dict[str, str]) -> None:
    table = Table(caption="\n".join(f"{name}: {value}" for name, value in about.items()))
    for name in _SHOWN:
        table.add_column(name.replace("_images_per_second", "/s").replace("_", " "))
    for row in rows:
        table.add_row(*(_cell(row, name) for name in _SHOWN))
    Console(width=160).print(table)


def _cell(row: dict[str, Any], name: str) -> str:
    value = row.get(name, "-")
    if f"{name}_least" in row:
        return f"{value} ({row[name + '_least']}–{row[name + '_greatest']})"
    return f"{value:,}" if isinstance(value, int) else str(value)


if __name__ == "__main__":
    main()
