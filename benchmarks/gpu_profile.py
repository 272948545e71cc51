"""What a GPU does in a step of stacked networks, and of one: ``python -m benchmarks.gpu_profile``.

Lone networks and stacks, eager and as CUDA graphs, under torch's profiler; for each a few lines of
text: kernels a step, the share of the time in which any kernel ran, gaps between kernels, and the
kernels that take most of it. On a CPU operations are counted in the place of kernels.
"""

import argparse
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from time import perf_counter
from typing import Any

import torch
from torch.profiler import ProfilerActivity, profile

from benchmarks.contestants import Case
from benchmarks.gpu_tables import gpus
from benchmarks.images import mnist_folder
from benchmarks.machine import facts
from benchmarks.peak import synchronise
from benchmarks.peers.article import NETWORKS
from benchmarks.stacking_candidates.layers import with_layers
from benchmarks.stacking_candidates.lone import OneAfterAnother
from benchmarks.stacking_candidates.setting import Candidate, Setting

_LARGEST = 8  # kernels that are listed


def main(words: Sequence[str] | None = None) -> None:
    """Profile, print, write the text after each network."""
    arguments = _arguments(words)
    about = facts(("torch", "cnnsweep")) | {"gpus": gpus()}
    lines = [f"# {name}: {value}" for name, value in about.items()]
    with mnist_folder(arguments.data) as (folder, _):
        for model in arguments.models:
            for name, steps in _profiled(model, folder, arguments):
                lines += ["", f"== {model}, {name}", *steps]
                print("\n".join(lines[-len(steps) - 2 :]), flush=True)
                arguments.out.parent.mkdir(parents=True, exist_ok=True)
                arguments.out.write_text("\n".join(lines) + "\n")


def _arguments(words: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.gpu_profile", description=__doc__)
    add = parser.add_argument
    add("--data", type=Path, help="folder with MNIST/raw; made-up images without it")
    add("--device", default="cuda")
    add("--models", nargs="+", default=["resnet", "lenet"], choices=NETWORKS)
    add("--stack", type=int, default=64)
    add("--batch-size", type=int, default=64)
    add("--images", type=int, default=6400)
    add("--steps", type=int, default=20)
    add("--out", type=Path, required=True, help="a text file")
    return parser.parse_args(words)


def _profiled(
    model: str, folder: Path, arguments: argparse.Namespace
) -> Iterator[tuple[str, list[str]]]:
    device, batch = arguments.device, arguments.batch_size
    case = Case(model, "contiguous", "float32", batch, arguments.images, device, folder)
    lone, stack = Setting(case, 1), Setting(case, arguments.stack)
    makers: dict[str, Callable[[], Candidate]] = {
        "one network, eager": partial(OneAfterAnother, lone, graph=False),
        f"{stack.stack} stacked, eager": partial(with_layers, stack, by_image=True, graph=False),
    }
    if lone.device.type == "cuda":
        makers["one network, graph"] = partial(OneAfterAnother, lone, graph=True)
        graphed = partial(with_layers, stack, by_image=True, graph=True)
        makers[f"{stack.stack} stacked, graph"] = graphed
    for name, make in makers.items():
        try:
            yield name, _said(make(), case.device, arguments.steps)
        except RuntimeError as error:  # one that fails ends no other one
            yield name, [f"failed: {' '.join(str(error).split())[:300]}"]


def _said(candidate: Candidate, device: str, steps: int) -> list[str]:
    candidate.run(steps)
    synchronise(device)
    started = perf_counter()
    candidate.run(steps)
    synchronise(device)
    plain = 1e6 * (perf_counter() - started) / steps
    on_gpu = torch.device(device).type == "cuda"
    activities = [ProfilerActivity.CPU, *([ProfilerActivity.CUDA] if on_gpu else [])]
    with profile(activities=activities) as profiler:
        candidate.run(steps)
        synchronise(device)
    spans = sorted(_spans(profiler.events(), on_gpu=on_gpu), key=lambda span: span[1])
    busy, reach, gaps = 0.0, None, []
    for _, start, end in spans:
        if reach is not None and start > reach:
            gaps.append(start - reach)
        busy += max(0.0, end - max(start, start if reach is None else reach))
        reach = end if reach is None else max(reach, end)
    whole = spans[-1][2] - spans[0][1]
    taken: dict[str, float] = defaultdict(float)
    for name, start, end in spans:
        taken[name] += end - start
    total = sum(taken.values())
    largest = sorted(taken.items(), key=lambda item: -item[1])[:_LARGEST]
    what = "kernels" if on_gpu else "operations"
    return [
        f"{plain:.0f} µs a step without the profiler, n = {steps} steps",
        f"{len(spans) / steps:.1f} {what} a step; any at work {100 * busy / whole:.1f} % of the "
        f"time; {busy / steps:.0f} µs of them a step",
        f"gaps: {len(gaps) / steps:.1f} a step, {sum(gaps) / steps:.0f} µs a step",
        *(f"{100 * time / total:5.1f} %  {name[:90]}" for name, time in largest),
    ]


def _spans(events: Any, *, on_gpu: bool) -> Iterator[tuple[str, float, float]]:
    """Name, start and end (µs) of what ran on the GPU; on a CPU, of outermost operations."""
    for event in events:
        is_kernel = event.device_type.name == "CUDA"
        if is_kernel if on_gpu else event.cpu_parent is None:
            yield event.name, event.time_range.start, event.time_range.end


if __name__ == "__main__":
    main()
