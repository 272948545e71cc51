"""One step of training, from the loss to the updated parameters."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from cnnsweep.training.schedule import Schedule


@dataclass
class OptimizerStep:
    """Backward pass, L1 penalty, gradient clipping, the optimizer's step, the schedule's step.

    ``grad_clip`` is the largest norm of all gradients; ``l1`` the penalty's weight.
    """

    optimizer: Optimizer
    schedule: Schedule
    parameters: list[nn.Parameter]
    grad_clip: float | None
    l1: float

    def __call__(self, loss: Tensor) -> None:
        self.move(loss)
        self.schedule.batch_ended()

    def move(self, loss: Tensor) -> None:
        """All of it but the schedule's step: what is computed on the device."""
        loss.backward()  # type: ignore[no-untyped-call]
        if self.l1 > 0:
            self._add_l1_gradient()
        if self.grad_clip is not None:
            nn.utils.clip_grad_norm_(self.parameters, self.grad_clip)
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)

    @torch.no_grad()
    def _add_l1_gradient(self) -> None:
        """The penalty's gradient is the weights' sign; the reported loss leaves the penalty out."""
        for parameter in self.parameters:
            if parameter.grad is not None:
                parameter.grad.add_(parameter.sign(), alpha=self.l1)
