"""The parts of convolutions' backward pass, which torch's profiler sees as one operation."""

from collections import Counter
from collections.abc import Callable, Mapping
from time import perf_counter
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode

PARTS = ("gradient of maps", "gradient of weights", "gradient of bias")
_REPEATS = 12
_Call = tuple[Any, ...]


def backward_shares(step: Callable[[], None]) -> dict[str, float]:
    """The share of each of PARTS in the convolutions' backward passes of one training step.

    Each pass is made again with its own tensors, part by part; the least of twelve times counts.
    """
    with _Recorder() as recorder:
        step()
    seconds: Counter[str] = Counter(dict.fromkeys(PARTS, 0.0))
    for call in recorder.calls:
        maps, _, bias = call[-1]  # which gradients are wanted
        weights = _seconds(call, [False, True, False])
        seconds[PARTS[0]] += _seconds(call, [True, False, False]) if maps else 0.0
        seconds[PARTS[1]] += weights
        seconds[PARTS[2]] += max(0.0, _seconds(call, [False, True, True]) - weights) if bias else 0
    return {part: taken / seconds.total() for part, taken in seconds.items()}


def _seconds(call: _Call, wanted: list[bool]) -> float:
    def once() -> float:
        started = perf_counter()
        torch.ops.aten.convolution_backward(*call[:-1], wanted)
        return perf_counter() - started

    return min(once() for _ in range(_REPEATS))


class _Recorder(TorchDispatchMode):
    """Keeps the arguments of each convolution's backward pass."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[_Call] = []

    def __torch_dispatch__(
        self, func: Any, types: Any, args: _Call = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        if func is torch.ops.aten.convolution_backward.default:
            self.calls.append(args)
        return func(*args, **(kwargs or {}))
