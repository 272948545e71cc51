"""What the hardware can do: a matrix product's rate, and what a network asks for."""

from statistics import median
from time import perf_counter

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

_SIDE = 2048
_REPEATS = 7


def matmul_flops(device: str, dtype: torch.dtype) -> float:
    """Floating-point operations a second of a 2048³ matrix product; the median of seven."""
    a, b = (torch.randn(_SIDE, _SIDE, device=device).to(dtype) for _ in range(2))
    seconds = []
    for _ in range(_REPEATS + 1):
        synchronise(device)
        started = perf_counter()
        torch.mm(a, b)
        synchronise(device)
        seconds.append(perf_counter() - started)
    return 2 * _SIDE**3 / median(seconds[1:])


def flops_per_image(model: nn.Module, images: Tensor, labels: Tensor) -> float:
    """Of a forward and a backward pass: the products of convolutions and linear layers."""
    with FlopCounterMode(display=False) as counter:
        loss = nn.functional.cross_entropy(model(images), labels)
        loss.backward()  # type: ignore[no-untyped-call]
    model.zero_grad(set_to_none=True)
    return float(counter.get_total_flops()) / len(images)


def synchronise(device: str) -> None:
    """Wait until a GPU has done what it was told; a CPU always has."""
    if torch.device(device).type == "cuda":
        torch.cuda.synchronize()
