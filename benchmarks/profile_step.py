"""Where a training step's milliseconds go: ``python -m benchmarks.profile_step [--models …] …``.

cnnsweep's own epoch (batches, network, loss, optimizer, figures) under torch's profiler. Each
operation's own time counts for one group of a table; what a step takes without the profiler beyond
these is what Python, autograd and dispatch need between the operations. Of each operation, and of
the whole step, the least over the steps counts: on a busy machine most are interrupted. With one
thread a step's time is CPU time, for the same reason.
"""

import argparse
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from time import perf_counter, process_time
from typing import Any

import torch
from torch import Tensor
from torch.autograd.profiler import record_function
from torch.profiler import ProfilerActivity, profile

from benchmarks.contestants import Case, Sizes, composed
from benchmarks.conv_parts import backward_shares
from benchmarks.images import mnist_folder
from benchmarks.machine import facts
from benchmarks.peers.article import NETWORKS
from benchmarks.rows import RESULTS, write_csv
from cnnsweep.session import build
from cnnsweep.training.device import keep_freed_memory
from cnnsweep.training.epoch import run_epoch

_BATCH, _STEP, _REST = "batch: gather, normalise", "step", "between operations"
_BACKWARD, _BIAS = "convolutions: backward", "bias of a stage, both ways"
# Names of torch's operations, or beginnings of them, and the groups that a reader understands.
_GROUPS = {
    _BATCH: (_BATCH,),
    "optimizer": ("Optimizer.",),
    _BACKWARD: ("aten::convolution_backward",),
    "convolutions: forward": ("aten::conv2d",),
    "pooling, backward": ("aten::max_pool2d_with_indices_backward", "aten::avg_pool2d_backward"),
    "pooling, forward": ("aten::max_pool2d", "aten::avg_pool2d"),
    "batch norm": ("aten::batch_norm", "aten::native_batch_norm"),
    "activations": ("aten::relu", "aten::threshold_backward"),
    "linear layers": ("aten::linear", "aten::addmm", "aten::mm"),
    "loss": ("aten::cross_entropy_loss", "aten::nll_loss", "aten::_log_softmax"),
    "concatenation": ("aten::cat", "aten::narrow", "aten::slice_backward", "aten::contiguous"),
    "figures": ("aten::argmax", "aten::eq", "aten::count_nonzero"),
    _BIAS: ("aten::sum",),
}  # fmt: skip
_ADDITIONS = ("aten::add", "aten::add_")
_SKIPPED_STEPS = 3


def main(words: Sequence[str] | None = None) -> None:
    """Measure, print a Markdown table, write the CSV."""
    arguments = _arguments(words)
    torch.set_num_threads(arguments.threads)
    keep_freed_memory()
    about = facts(("torch", "cnnsweep")) | {
        "what": f"ms a step, batches of 64 in channels-last; least of {arguments.steps} steps; "
        f"{torch.get_num_threads()} threads, {torch.backends.cpu.get_cpu_capability()}",
    }
    rows: list[dict[str, Any]] = []
    with mnist_folder(arguments.data) as (folder, data):
        about["data"] = data
        for precision in arguments.precisions:
            for model in arguments.models:
                images = 64 * (arguments.steps + _SKIPPED_STEPS)
                case = Case(model, "channels_last", precision, 64, images, "cpu", folder)
                rows += _measure(case)
            print(_markdown([row for row in rows if row["precision"] == precision]))
    write_csv(arguments.out, rows, about)


def _arguments(words: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.profile_step", description=__doc__)
    add = parser.add_argument
    add("--data", type=Path, help="folder with MNIST/raw; made-up images without it")
    add("--threads", type=int, default=1)
    add("--models", nargs="+", default=list(NETWORKS), choices=NETWORKS)
    add("--precisions", nargs="+", default=["float32"], choices=("float32", "bfloat16"))
    add("--steps", type=int, default=50, help="timed steps, once without and once with profiler")
    add("--out", type=Path, default=RESULTS / "profile_step.csv")
    return parser.parse_args(words)


def _measure(case: Case) -> list[dict[str, Any]]:
    """A row for each group, the largest first; ``ms`` a step and its ``share`` of the step."""
    epoch = _Epochs(case)
    plain = _step_milliseconds(epoch)
    with profile(activities=[ProfilerActivity.CPU], record_shapes=True) as profiler:
        epoch(_mark)
    groups = _by_group(profiler.events())
    backward = groups.pop(_BACKWARD)
    for part, share in backward_shares(epoch.one_step).items():
        groups[f"convolutions: {part}"] = share * backward
    groups[_REST] = max(0.0, plain - sum(groups.values()))
    head = {"model": case.model, "precision": case.precision}
    return [
        head | {"group": group, "ms": round(ms, 3), "share": round(ms / plain, 3)}
        for group, ms in sorted(groups.items(), key=lambda item: -item[1])
    ] + [head | {"group": _STEP, "ms": round(plain, 3), "share": 1.0}]


class _Epochs:
    """cnnsweep's epochs of one case, as `cnnsweep.run` makes their parts."""

    def __init__(self, case: Case) -> None:
        with composed(case, epochs=1) as config:
            device = torch.device("cpu")
            images = build.make_dataset(config).train.take(torch.arange(case.images))
            self._train = build.make_batches(config, images, device, is_training=True)
            model = build.make_model(config, Sizes(), starts_anew=True)
            loss = build.make_loss(config, images, [])
            self._trainer = build.make_trainer(
                config, model, loss, self._train, None, device, case.precision
            )

    def __call__(self, after_step: Callable[[], None]) -> None:
        trainer, train = self._trainer, _Marked(self._train)
        run_epoch(
            trainer.model, train, trainer.loss, trainer.cast, trainer.step, lambda *_: after_step()
        )

    def one_step(self) -> None:
        """Of one batch, without the optimizer's part."""
        images, labels = next(iter(self._train))
        with self._trainer.cast:
            loss = self._trainer.loss(self._trainer.model(images), labels)
        loss.backward()  # type: ignore[no-untyped-call]


class _Marked:
    """Batches whose making is one event of the profile."""

    def __init__(self, batches: Any) -> None:
        self._batches = batches
        self.images: int = batches.images

    def __len__(self) -> int:
        return len(self._batches)

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        batches = iter(self._batches)
        for _ in range(len(self)):
            with record_function(_BATCH):
                batch = next(batches)
            yield batch


def _step_milliseconds(epoch: Callable[[Callable[[], None]], None]) -> float:
    times: list[float] = []
    clock = process_time if torch.get_num_threads() == 1 else perf_counter
    epoch(lambda: times.append(clock()))
    took = [after - before for before, after in pairwise(times)]
    return 1000 * min(took[_SKIPPED_STEPS:])


def _mark() -> None:
    with record_function(_STEP):
        pass


def _by_group(events: Any) -> dict[str, float]:
    """Milliseconds of each group: of each of its operations the least over the steps."""
    steps: list[list[tuple[str, float]]] = [[]]
    for event in sorted(events, key=lambda event: event.time_range.start):
        if event.name == _STEP:
            steps.append([])
            continue
        group = _group(event)
        if group is not None:
            steps[-1].append((group, event.self_cpu_time_total / 1000))
    groups: dict[str, float] = defaultdict(float)
    for repeated in zip(*steps[_SKIPPED_STEPS:-1], strict=True):  # all steps are alike
        group = repeated[0][0]
        groups[group] += min(milliseconds for _, milliseconds in repeated)
    return groups


def _group(event: Any) -> str | None:
    """The group of the outermost operation above this one that has any; None for none."""
    found, above = None, event
    while above is not None:
        found = _own_group(above) or found
        above = above.cpu_parent
    return found


def _own_group(event: Any) -> str | None:
    if event.name in _ADDITIONS:
        first, second = event.input_shapes[:2]
        return "figures" if not first else _BIAS if len(second) < len(first) else "additions"
    for group, names in _GROUPS.items():
        if event.name.startswith(names):
            return group
    return None


def _markdown(rows: Sequence[dict[str, Any]]) -> str:
    models = list(dict.fromkeys(row["model"] for row in rows))
    table = {(row["model"], row["group"]): row for row in rows}
    groups = sorted(
        {row["group"] for row in rows} - {_STEP, _REST},
        key=lambda group: -sum(row["ms"] for row in rows if row["group"] == group),
    )
    lines = [f"| ms a step ({rows[0]['precision']}) | " + " | ".join(models) + " |"]
    lines.append("|---" * (len(models) + 1) + "|")
    for group in [*groups, _REST, _STEP]:
        found = [table.get((model, group)) for model in models]
        cells = ["–" if row is None else f"{row['ms']:.2f} ({row['share']:.0%})" for row in found]
        lines.append(f"| {group} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
