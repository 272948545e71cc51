"""torch's optimizers without torch.compile, which the first of them would import: 1 s, 80 MB."""

import inspect
from types import MethodType

import torch
from torch.optim import Optimizer


def free_optimizers_of_compiler() -> None:
    """Let optimizers be made, saved and loaded without an import of torch's compiler.

    torch guards these methods from being compiled and imports the compiler for it, at the first
    call of each (``torch._compile._disable_dynamo``). What is found under the name below is called
    instead of the guard; a torch that does not look there does as it always did.
    """
    for method in vars(Optimizer).values():
        if inspect.isfunction(method) and hasattr(method, "__wrapped__"):
            plain = method.__wrapped__
            setattr(plain, "__dynamo_disable", plain)


def free_step_of_compiler(optimizer: Optimizer) -> None:
    """The same for ``optimizer.step``, if it is one of torch's own; hooks and profiles stay.

    torch wraps it to tell the compiler that it needs no gradients (``torch.optim.optimizer
    ._use_grad_for_differentiable``); here ``torch.no_grad`` does so.
    """
    kind = type(optimizer)
    if not kind.__module__.startswith("torch.optim.") or optimizer.defaults.get("differentiable"):
        return
    step = torch.no_grad()(inspect.unwrap(kind.step))
    optimizer.step = MethodType(Optimizer.profile_hook_step(step), optimizer)  # type: ignore[method-assign]
