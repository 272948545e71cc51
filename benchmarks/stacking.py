"""Many small networks on one device: ``python -m benchmarks.stacking [--device cuda] …``.

Ways of training K networks of one architecture, each with its own seed, order of images and
learning rate, with SGD and momentum, on the same resident images. Each way first trains some steps,
and its losses must be those of networks that train alone: a row whose losses are others says so.
Then the ways take turns; ratios are to lone networks whose step is a CUDA graph (on a CPU: to
eager ones), their median over the rounds. What a machine cannot do is a row with the reason.
"""

import argparse
import gc
import itertools
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import torch
from torch import Tensor

from benchmarks.contestants import Case
from benchmarks.gpu_tables import gpus
from benchmarks.images import mnist_folder
from benchmarks.machine import facts
from benchmarks.peers.article import NETWORKS
from benchmarks.rows import RESULTS, print_rows, write_csv
from benchmarks.stacking_candidates.layers import with_layers
from benchmarks.stacking_candidates.lone import OneAfterAnother, OneGraphOfBranches, OnStreams
from benchmarks.stacking_candidates.own import OwnRuns
from benchmarks.stacking_candidates.processes import Processes, Unavailable
from benchmarks.stacking_candidates.setting import Candidate, Setting
from benchmarks.stacking_candidates.turns import (
    Turns,
    difference,
    losses_alone,
    losses_of_lone_runs,
)
from benchmarks.stacking_candidates.vmap import mapped

Maker = Callable[[Setting], Candidate]
EAGER, GRAPH = "alone", "alone, graph"
OWN_STACK, OWN_STACK_GRAPH = "cnnsweep's stack", "cnnsweep's stack, graph"
_SHOWN = (
    "model", "precision", "batch_size", "networks", "candidate", "rounds",
    "model_steps_per_second", "images_per_second", "ratio", "note",
)  # fmt: skip


def candidates(processes: int) -> dict[str, Maker]:
    """By name; those with "graph", "streams" or "MPS" in it need CUDA."""
    return {
        GRAPH: partial(OneAfterAnother, graph=True),
        "grouped, graph": partial(with_layers, by_image=True, graph=True),
        OWN_STACK_GRAPH: partial(OwnRuns, together=True, graph=True),
        "products, graph": partial(with_layers, by_image=False, graph=True),
        "vmap, graph": partial(mapped, graph=True),
        "streams": OnStreams,
        "one graph of branches": OneGraphOfBranches,
        EAGER: partial(OneAfterAnother, graph=False),
        OWN_STACK: partial(OwnRuns, together=True, graph=False),
        "grouped": partial(with_layers, by_image=True, graph=False),
        "products": partial(with_layers, by_image=False, graph=False),
        "vmap": partial(mapped, graph=False),
        "processes": partial(Processes, processes=processes, mps=False),
        "processes, MPS": partial(Processes, processes=processes, mps=True),
    }


def main(words: Sequence[str] | None = None) -> None:
    """Measure, print the table, write the CSV after each row."""
    arguments = _arguments(words)
    if arguments.threads is not None:
        torch.set_num_threads(arguments.threads)
    about = facts(("torch", "cnnsweep")) | {"gpus": gpus(), "device": arguments.device}
    if torch.version.cuda is not None:
        cudnn = torch.backends.cudnn.version()  # type: ignore[no-untyped-call]
        about["cuda"] = f"{torch.version.cuda}, cuDNN {cudnn}"
    about["rounds"] = f"{arguments.rounds} of about {arguments.seconds} s for each, taking turns"
    about["learns"] = f"losses of {arguments.check_steps} steps beside those of lone eager networks"
    about["processes"] = str(arguments.processes)
    rows: list[dict[str, Any]] = []
    with mnist_folder(arguments.data) as (folder, data):
        about["data"] = f"{arguments.images:,} images of {data}"
        for setting in _settings(arguments, folder):
            done = len(rows)
            for found in measured(setting, arguments):
                rows[done:] = found
                write_csv(arguments.out, rows, about)
            print_rows([{name: row[name] for name in _SHOWN} for row in rows[done:]])


def _arguments(words: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.stacking", description=__doc__)
    add = parser.add_argument
    add("--data", type=Path, help="folder with MNIST/raw; made-up images without it")
    add("--device", default="cpu")
    add("--threads", type=int, help="CPU threads; default: torch's")
    add("--models", nargs="+", default=["lenet", "resnet"], choices=NETWORKS)
    add("--stacks", nargs="+", type=int, default=[1, 4, 16, 64], help="networks at once")
    add("--precisions", nargs="+", default=["float32"], choices=("float32", "bfloat16"))
    add("--batch-sizes", nargs="+", type=int, default=[64])
    add("--images", type=int, default=10_000, help="images of an epoch of each network")
    add("--candidates", nargs="+", choices=[*candidates(1)], help="default: all")
    add("--processes", type=int, default=4, help="of the candidates with processes")
    add("--rounds", type=int, default=3)
    add("--seconds", type=float, default=0.5, help="of a candidate's turn")
    add("--check-steps", type=int, default=6)
    add("--tolerance", type=float, default=5e-3, help="of the mean loss; ten times in bfloat16")
    add("--out", type=Path, default=RESULTS / "stacking.csv")
    return parser.parse_args(words)


def _settings(arguments: argparse.Namespace, folder: Path) -> Iterator[Setting]:
    grid = itertools.product(
        arguments.precisions, arguments.batch_sizes, arguments.stacks, arguments.models
    )
    for precision, batch_size, stack, model in grid:
        device, images = arguments.device, arguments.images
        case = Case(model, "contiguous", precision, batch_size, images, device, folder)
        yield Setting(case, stack)


def measured(setting: Setting, arguments: argparse.Namespace) -> Iterator[list[dict[str, Any]]]:
    """The rows of one setting so far: after each candidate is made, and after each round."""
    gc.collect()  # graphs of the setting before hold memory of the GPU
    makers = candidates(arguments.processes)
    names = arguments.candidates or list(makers)
    own = [name for name in names if name.startswith(OWN_STACK)]
    steps = arguments.check_steps
    expected = losses_alone(setting, steps)
    expected_own = losses_of_lone_runs(setting, steps) if own else expected
    rows = {name: _row(setting, name) for name in names}
    with _made(setting, {name: makers[name] for name in names}, rows) as made:
        turns: dict[str, Turns] = {}
        for name, candidate in made:
            with _reason(rows[name]):
                losses = expected_own if name in own else expected
                _check(candidate, losses, rows[name], arguments)
                turns[name] = Turns(candidate, setting, steps=steps, seconds=arguments.seconds)
                turns[name].take()
            yield _with_rates(setting, rows, turns)
        for _ in range(arguments.rounds - 1):
            for name in list(turns):
                with _reason(rows[name]):
                    turns[name].take()
            yield _with_rates(setting, rows, turns)
        yield _with_rates(setting, rows, turns)  # what was skipped last, too


@contextmanager
def _made(
    setting: Setting, makers: Mapping[str, Maker], rows: Mapping[str, dict[str, Any]]
) -> Iterator[Iterator[tuple[str, Candidate]]]:
    """Candidates, each made when it is asked for; all are closed."""
    alive: list[Candidate] = []

    def each() -> Iterator[tuple[str, Candidate]]:
        for name, make in makers.items():
            why_not = _why_not(setting, name)
            if why_not is not None:
                rows[name]["note"] = why_not
                continue
            with _reason(rows[name]):
                before = _reserved(setting)
                alive.append(make(setting))
                rows[name]["reserved_mib"] = _reserved(setting) - before
                yield name, alive[-1]

    try:
        yield each()
    finally:
        for candidate in alive:
            candidate.close()


def _why_not(setting: Setting, name: str) -> str | None:
    needs_cuda = any(word in name for word in ("graph", "streams", "MPS"))
    if needs_cuda and setting.device.type != "cuda":
        return f"skipped: not on {setting.device.type}"
    return None


@contextmanager
def _reason(row: dict[str, Any]) -> Iterator[None]:
    """What a candidate dies of is its row's note: the others are still to be measured."""
    try:
        yield
    except Unavailable as error:
        row["note"] = f"skipped: {error}"
    except Exception as error:  # noqa: BLE001
        row["note"] = f"failed: {type(error).__name__}: {' '.join(str(error).split())[:200]}"
        print(f"{row['candidate']}: {row['note']}", flush=True)


def _check(
    candidate: Candidate, expected: Tensor, row: dict[str, Any], arguments: argparse.Namespace
) -> None:
    """Note a mean loss that is not that of a lone network: the row is of another computation."""
    off = difference(candidate, arguments.check_steps, expected)
    row["loss_difference"] = float(f"{off:.3g}")
    tolerance = arguments.tolerance * (10 if row["precision"] == "bfloat16" else 1)
    if not off <= tolerance:
        row["note"] = f"NOT THE SAME: its mean loss is {off:.3g} off, allowed {tolerance:g}"


def _row(setting: Setting, name: str) -> dict[str, Any]:
    case = setting.case
    return {
        "model": case.model,
        "precision": case.precision,
        "batch_size": case.batch_size,
        "networks": setting.stack,
        "candidate": name,
        "rounds": 0,
        "model_steps_per_second": "",
        "images_per_second": "",
        "ratio": "",
        "ratio_least": "",
        "ratio_greatest": "",
        "loss_difference": "",
        "reserved_mib": "",
        "load": "",
        "note": "not reached",
    }


def _with_rates(
    setting: Setting, rows: Mapping[str, dict[str, Any]], turns: Mapping[str, Turns]
) -> list[dict[str, Any]]:
    base = turns.get(GRAPH, turns.get(EAGER))
    for name, turn in turns.items():
        row, rate = rows[name], median(turn.rates) if turn.rates else None
        if rate is None:
            continue
        row |= {
            "rounds": len(turn.rates),
            "model_steps_per_second": round(rate * setting.stack, 1),
            "images_per_second": round(rate * setting.stack * setting.case.batch_size),
            "load": round(os.getloadavg()[0], 1),
        }
        row["note"] = "" if row["note"] == "not reached" else row["note"]
        if base is not None and base.rates:
            pairs = zip(turn.rates, base.rates, strict=False)
            ratios = sorted(rate / beside for rate, beside in pairs)
            shown = {
                "ratio": median(ratios),
                "ratio_least": ratios[0],
                "ratio_greatest": ratios[-1],
            }
            row |= {key: round(value, 3) for key, value in shown.items()}
    return list(rows.values())


def _reserved(setting: Setting) -> int:
    """MiB of the device that torch keeps for this process; 0 on a CPU."""
    return torch.cuda.memory_reserved() // 2**20 if setting.device.type == "cuda" else 0


if __name__ == "__main__":
    main()
