"""torch.compile; and optimizers that don't import torch's compiler in runs without it."""

import functools
import inspect
import logging
import os
from collections.abc import Callable
from typing import Any

import torch
from torch import nn
from torch.optim import Optimizer

log = logging.getLogger(__name__)
VARIABLE = "CNNSWEEP_PLAIN_TORCH"


def compile_in_place(model: nn.Module, device: torch.device) -> None:
    """Have the model's calls compiled; parameters and their names stay as they are.

    On a GPU with CUDA graphs: small networks spend their steps in launching kernels, and a graph
    launches them all at once. The first epoch of training and the first evaluation of a split
    take tens of seconds longer.
    """
    mode = "reduce-overhead" if device.type == "cuda" else "default"
    # Shapes are fixed: the last, smaller batch is compiled separately.
    model.compile(mode=mode, dynamic=False)


def free_optimizers_of_compiler() -> None:
    """Replace methods of torch's optimizers, in this process, by ones without its compiler.

    torch guards some methods from being compiled and imports the compiler for it (0.9 s), at the
    first call of each: `torch._compile._disable_dynamo` around making, saving and loading, and
    `torch.optim.optimizer._use_grad_for_differentiable` around the step. Where a release of
    torch does it unlike 2.14 and 2.15, nothing is replaced and the compiler is imported.
    CNNSWEEP_PLAIN_TORCH=1 in the environment leaves torch alone.
    """
    if os.environ.get(VARIABLE) == "1":
        return
    log.info("torch's optimizers run without guards of its compiler; %s=1 keeps them", VARIABLE)
    for method in vars(Optimizer).values():
        if inspect.isfunction(method) and hasattr(method, "__wrapped__"):
            plain = method.__wrapped__
            setattr(plain, "__dynamo_disable", plain)  # is called in place of the guard
    for kind in vars(torch.optim).values():
        step = vars(kind).get("step") if inspect.isclass(kind) else None
        if inspect.isfunction(step) and step.__code__.co_name == "_use_grad":
            kind.step = _with_grad_as_asked(vars(step)["__wrapped__"])


def _with_grad_as_asked(step: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(step)
    def wrapped(self: Optimizer, *arguments: Any, **more: Any) -> Any:
        with torch.set_grad_enabled(self.defaults["differentiable"]):
            return step(self, *arguments, **more)

    return wrapped
