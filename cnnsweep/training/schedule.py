"""The learning rate over a run: any scheduler of torch, by epochs or by batches."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler, ReduceLROnPlateau, SequentialLR

from cnnsweep.errors import UserError

MakeScheduler = Callable[..., LRScheduler]


@dataclass
class Schedule:
    """A scheduler (or none) and its interval, `epoch` or `batch`, at whose end it makes a step."""

    scheduler: LRScheduler | None
    interval: str

    def batch_ended(self) -> None:
        if self.scheduler is not None and self.interval == "batch":
            self.scheduler.step()

    def epoch_ended(self, loss: float) -> None:
        """``loss`` is the validation loss, without a validation split the training loss."""
        if self.scheduler is None or self.interval != "epoch":
            return
        if isinstance(self.scheduler, ReduceLROnPlateau):
            self.scheduler.step(loss)
        else:
            self.scheduler.step()

    def state_dict(self) -> dict[str, Any]:
        return {} if self.scheduler is None else self.scheduler.state_dict()

    def load_state_dict(self, state: dict[str, Any]) -> None:
        if self.scheduler is not None:
            self.scheduler.load_state_dict(state)


def in_turn(
    optimizer: Optimizer, *, schedules: Sequence[MakeScheduler], milestones: Sequence[int]
) -> SequentialLR:
    """Several schedules one after the other, each beginning at its milestone (epochs, ascending).

    Raises:
        UserError: the number of milestones is not one less than that of schedules.
    """
    if len(milestones) != len(schedules) - 1:
        raise UserError(
            f"scheduler.milestones={list(milestones)}: {len(schedules)} schedules in turn need "
            f"{len(schedules) - 1} milestones"
        )
    made = [make(optimizer) for make in schedules]
    return SequentialLR(optimizer, schedulers=made, milestones=list(milestones))
