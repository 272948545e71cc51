"""SGD of several runs at once: torch's formula with a coefficient for each run and batch."""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from cnnsweep.stack.network import StackedNetwork
from cnnsweep.training.trainer import Trainer

# The columns of a table. The direction of a step is OF_GRADIENT · g + OF_VELOCITY · v, after the
# velocity became KEEP · v + TAKE · g.
DECAY, KEEP, TAKE, OF_GRADIENT, OF_VELOCITY, RATE, CLIP, L1 = range(8)


@dataclass(frozen=True)
class Plan:
    """Coefficients of an epoch: ``table`` (batches, 8, K), float64 on the CPU.

    ``has_velocity`` says of each run whether it has momentum buffers after the epoch.
    ``clips`` and ``shrinks``: whether any run clips gradients, has an L1 penalty.
    """

    table: Tensor
    has_velocity: list[bool]
    clips: bool
    shrinks: bool


def plan_epoch(trainers: Sequence[Trainer], batches: int) -> Plan:
    """What each run's optimizer and schedule say of its next epoch.

    The schedules make their steps of batches: whoever gives up the epoch puts them back.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a schedule's "before optimizer.step()"
        columns = [_column(trainer, batches) for trainer in trainers]
    return Plan(
        torch.stack([table for table, _ in columns], dim=2),
        [has_velocity for _, has_velocity in columns],
        any(trainer.step.grad_clip is not None for trainer in trainers),
        any(trainer.step.l1 > 0 for trainer in trainers),
    )


def _column(trainer: Trainer, batches: int) -> tuple[Tensor, bool]:
    """One run's coefficients (batches, 8), and whether it has momentum buffers afterwards."""
    step = trainer.step
    (group,) = step.optimizer.param_groups
    has_velocity = any("momentum_buffer" in state for state in step.optimizer.state.values())
    clip = float("inf") if step.grad_clip is None else step.grad_clip
    rows = []
    for _ in range(batches):
        rate, momentum = float(group["lr"]), float(group["momentum"])
        if momentum == 0:
            keep, take, of_gradient, of_velocity = 1.0, 0.0, 1.0, 0.0
        else:
            # A new buffer takes the first gradient whole, whatever the dampening.
            keep, take = (momentum, 1 - group["dampening"]) if has_velocity else (0.0, 1.0)
            of_gradient, of_velocity = (1.0, momentum) if group["nesterov"] else (0.0, 1.0)
            has_velocity = True
        rows.append(
            [group["weight_decay"], keep, take, of_gradient, of_velocity, rate, clip, step.l1]
        )
        step.schedule.batch_ended()
    return torch.tensor(rows, dtype=torch.float64), has_velocity


class Update:
    """Moves the weights of a stacked network, given the gradients (K, P) of a batch.

    Reads and writes tensors that stay where they are, and nothing of a run but by its own row of
    them: what became NaN in one run stays there.
    """

    def __init__(self, network: StackedNetwork, batches: int) -> None:
        self._network = network
        self.velocity = torch.zeros_like(network.weights)
        self._table = network.weights.new_zeros((batches, 8, network.size))
        self._batch = torch.zeros(1, dtype=torch.int64, device=network.device)
        self._clips = self._shrinks = False

    def begin(self, plan: Plan) -> None:
        """Take over an epoch's coefficients; runs that the plan has not stay as they are."""
        self._table.zero_()
        self._table[:, :, : plan.table.shape[2]].copy_(plan.table)
        self._batch.zero_()
        self._clips, self._shrinks = plan.clips, plan.shrinks

    def switches(self) -> tuple[bool, bool]:
        """What a captured update has fixed besides the tensors."""
        return self._clips, self._shrinks

    @torch.no_grad()
    def __call__(self, gradients: Tensor) -> None:
        weights = self._network.weights
        now = self._table.index_select(0, self._batch)[0].unsqueeze(2)  # (8, K, 1)
        if self._shrinks:
            gradients.addcmul_(weights.sign(), now[L1])
        if self._clips:
            gradients.mul_(_shorter(gradients, now[CLIP]))
        gradients.addcmul_(weights, now[DECAY])
        self.velocity.mul_(now[KEEP]).addcmul_(gradients, now[TAKE])
        gradients.mul_(now[OF_GRADIENT]).addcmul_(self.velocity, now[OF_VELOCITY])
        weights.addcmul_(gradients, now[RATE], value=-1)
        self._batch.add_(1)


def _shorter(gradients: Tensor, longest: Tensor) -> Tensor:
    """Factors (K, 1) as of torch's `clip_grad_norm_`; exactly 1 where ``longest`` is infinite."""
    norm = torch.linalg.vector_norm(gradients, dim=1, keepdim=True)
    factor = (longest / (norm + 1e-6)).clamp(max=1.0)
    return torch.where(longest.isinf(), torch.ones_like(factor), factor)
