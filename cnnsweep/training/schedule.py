"""The learning rate over a run: any scheduler of torch, stepped when it should be."""

from collections.abc import Callable, Sequence
from typing import Any

from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler, ReduceLROnPlateau, SequentialLR

from cnnsweep.errors import UserError

MakeScheduler = Callable[..., LRScheduler]


class Schedule:
    """A scheduler (or none) that is told of every batch and epoch and steps at its own interval."""

    def __init__(self, scheduler: LRScheduler | None, interval: str) -> None:
        """``interval`` is `epoch` or `batch`."""
        self._scheduler = scheduler
        self._interval = interval

    def batch_ended(self) -> None:
        if self._scheduler is not None and self._interval == "batch":
            self._scheduler.step()

    def epoch_ended(self, loss: float) -> None:
        """``loss`` is the validation loss, without a validation split the training loss."""
        if self._scheduler is None or self._interval != "epoch":
            return
        if isinstance(self._scheduler, ReduceLROnPlateau):
            self._scheduler.step(loss)
        else:
            self._scheduler.step()

    def state_dict(self) -> dict[str, Any]:
        return {} if self._scheduler is None else self._scheduler.state_dict()

    def load_state_dict(self, state: dict[str, Any]) -> None:
        if self._scheduler is not None:
            self._scheduler.load_state_dict(state)


def in_turn(
    optimizer: Optimizer, *, schedules: Sequence[MakeScheduler], milestones: Sequence[int]
) -> SequentialLR:
    """Several schedules one after the other, each beginning at its milestone (epochs, ascending).

    Raises:
        UserError: there is not one milestone between each two schedules.
    """
    if len(milestones) != len(schedules) - 1:
        raise UserError(
            f"scheduler.milestones={list(milestones)}: {len(schedules)} schedules in turn need "
            f"{len(schedules) - 1} milestones"
        )
    made = [make(optimizer) for make in schedules]
    return SequentialLR(optimizer, schedulers=made, milestones=list(milestones))
