"""torch.compile for runs that are long enough to pay for it; the others do without importing it."""

import functools
import inspect
from collections.abc import Callable
from typing import Any

import torch
from torch import nn
from torch.optim import Optimizer


def compile_in_place(model: nn.Module, device: torch.device) -> None:
    """Have the model's calls compiled; parameters and their names stay as they are.

    On a GPU with CUDA graphs: small networks spend their steps in launching kernels, and a graph
    launches them all at once. The first epoch of training and the first look at a split pay for
    it (tens of seconds).
    """
    mode = "reduce-overhead" if device.type == "cuda" else "default"
    # No shape is symbolic: the last, smaller batch gets a graph of its own.
    model.compile(mode=mode, dynamic=False)


def free_optimizers_of_compiler() -> None:
    """Let torch's own optimizers be made, saved, loaded and stepped without its compiler.

    torch guards some methods from being compiled and imports the compiler for it, at the first
    call of each: `torch._compile._disable_dynamo` around making, saving and loading, and
    `torch.optim.optimizer._use_grad_for_differentiable` around the step. Of what is not found as
    it was in torch 2.15 nothing is changed, and the compiler is imported.
    """
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
