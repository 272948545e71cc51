"""An optimizer whose steps can be captured: they read their learning rates on the device.

Outside its steps the optimizer is as it ever was, with plain numbers in its groups, so that
schedules, checkpoints and figures see no difference.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor
from torch.optim import SGD, Adagrad, Optimizer

# Of these nothing but the form of one kernel takes a learning rate from the device.
_FUSED: dict[type[Optimizer], str] = {
    SGD: "aten::_fused_sgd_.tensor_lr",
    Adagrad: "aten::_fused_adagrad_.tensor_lr",
}


class GraphedOptimizer:
    """Steps of an optimizer as a graph needs them. ``why_not`` says in words why it cannot.

    The learning rate of each group is a tensor then (float32, on the device), the optimizer's own
    counters are on the device, and it computes by the one of its ways that reads no tensor in
    Python: `capturable` where it has it, else `fused`.
    """

    def __init__(self, optimizer: Optimizer, device: torch.device) -> None:
        self._optimizer = optimizer
        self._device = device
        self._rates = [torch.zeros((), device=device) for _ in optimizer.param_groups]
        self._filled: list[float | None] = [None] * len(self._rates)
        self.why_not = self._why_not()
        # torch warns once of capturable=True in a step that is not captured; the first ones are.
        vars(optimizer)["_warned_capturable_if_run_uncaptured"] = True

    def fill(self) -> None:
        """Bring the present learning rates to the device, where they have changed."""
        for place, group in enumerate(self._optimizer.param_groups):
            rate = float(group["lr"])
            if rate != self._filled[place]:
                self._rates[place].fill_(rate)
                self._filled[place] = rate

    @contextmanager
    def on_device(self) -> Iterator[None]:
        """Around a step: the groups have their form for graphs, and then their own values again."""
        groups = self._optimizer.param_groups
        forms = [
            {"lr": rate} | _form(self._optimizer, group)
            for rate, group in zip(self._rates, groups, strict=True)
        ]
        kept = [
            {key: group[key] for key in form} for form, group in zip(forms, groups, strict=True)
        ]
        for group, form in zip(groups, forms, strict=True):
            group.update(form)
        try:
            yield
        finally:
            for group, values in zip(groups, kept, strict=True):
                group.update(values)

    def bring_counters(self) -> None:
        """Move counters of steps that are on the CPU, as those of a checkpoint may be."""
        for state in self._optimizer.state.values():
            step = state.get("step")
            if isinstance(step, Tensor) and step.device.type != self._device.type:
                state["step"] = step.to(self._device, torch.float32)

    def numbers(self) -> list[dict[str, Any]]:
        """What the groups hold besides parameters and learning rates: a graph fixes it."""
        beside = ("params", "lr", "initial_lr")
        return [
            {key: value for key, value in group.items() if key not in beside}
            for group in self._optimizer.param_groups
        ]

    def places(self) -> list[int]:
        """Where the parameters and the optimizer's own tensors are in memory."""
        parameters = [p for group in self._optimizer.param_groups for p in group["params"]]
        own = [
            value.data_ptr()
            for state in self._optimizer.state.values()
            for value in state.values()
            if isinstance(value, Tensor)
        ]
        return [parameter.data_ptr() for parameter in parameters] + own

    def _why_not(self) -> str | None:
        kind = type(self._optimizer)
        name = f"{kind.__module__}.{kind.__qualname__}"
        if any(group.get("differentiable") for group in self._optimizer.param_groups):
            return f"{name} with differentiable=true cannot be captured"
        if any("capturable" in group for group in self._optimizer.param_groups):
            return None
        kernel = _FUSED.get(kind)
        key = "CUDA" if self._device.type == "cuda" else "CPU"
        if kernel is not None and torch._C._dispatch_has_kernel_for_dispatch_key(kernel, key):
            return None
        return f"{name} reads its learning rate in Python, which a graph would repeat"


def _form(optimizer: Optimizer, group: dict[str, Any]) -> dict[str, Any]:
    if type(optimizer) in _FUSED:
        return {"fused": True, "foreach": False}
    # In a loop over the weights torch reads the learning rate; all at once it does not.
    at_once = {} if group.get("fused") or "foreach" not in group else {"foreach": True}
    return {"capturable": True} | at_once
