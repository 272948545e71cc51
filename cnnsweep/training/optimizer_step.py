"""What is learned from one batch's loss."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from cnnsweep.training.schedule import Schedule


class OptimizerStep:
    """Backward pass, L1 penalty, gradient clipping, the optimizer's step, the schedule's step."""

    def __init__(
        self,
        optimizer: Optimizer,
        schedule: Schedule,
        parameters: Sequence[nn.Parameter],
        *,
        grad_clip: float | None,
        l1: float,
    ) -> None:
        """``grad_clip`` is the largest norm of all gradients; ``l1`` the penalty's weight."""
        self._optimizer = optimizer
        self._schedule = schedule
        self._parameters = list(parameters)
        self._grad_clip = grad_clip
        self._l1 = l1

    def __call__(self, loss: Tensor) -> None:
        loss.backward()  # type: ignore[no-untyped-call]
        if self._l1 > 0:
            self._add_l1_gradient()
        if self._grad_clip is not None:
            nn.utils.clip_grad_norm_(self._parameters, self._grad_clip)
        self._optimizer.step()
        self._optimizer.zero_grad(set_to_none=True)
        self._schedule.batch_ended()

    @torch.no_grad()
    def _add_l1_gradient(self) -> None:
        """The penalty's gradient is the weights' sign; its value stays out of the reported loss."""
        for parameter in self._parameters:
            if parameter.grad is not None:
                parameter.grad.add_(parameter.sign(), alpha=self._l1)
