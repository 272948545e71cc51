"""The learning rate over a run: any scheduler of torch, by epochs or by batches."""

import warnings
from collections.abc import Callable, Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Any, Literal

from torch.optim import Optimizer
from torch.optim.lr_scheduler import CyclicLR, LRScheduler, ReduceLROnPlateau, SequentialLR

from cnnsweep.errors import UserError

_MOST_STEPS = 100_000
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

    def never_moves(self, epochs: int, batches: int) -> bool:
        """Whether all batches of so many epochs of ``batches`` are trained at the first one's rate.

        The scheduler is stepped through the run, as if the loss never changed, and put back. False
        without a scheduler, and where it would take more than a hundred thousand steps to tell.
        """
        scheduler = self.scheduler
        steps = epochs - 1 if self.interval == "epoch" else epochs * batches - 1
        if scheduler is None or steps > _MOST_STEPS:
            return False
        rates = [float(group["lr"]) for group in scheduler.optimizer.param_groups]
        put_back = self.remembered()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # "before optimizer.step()"
            still = all(_step(scheduler) == rates for _ in range(steps))
        put_back()
        return still

    def remembered(self) -> Callable[[], None]:
        """What puts schedule, learning rate and momentum back to where they are now."""
        scheduler = self.scheduler
        if scheduler is None:
            return lambda: None
        groups = scheduler.optimizer.param_groups
        before = deepcopy(scheduler.state_dict())
        kept = [{k: deepcopy(v) for k, v in group.items() if k != "params"} for group in groups]

        def put_back() -> None:
            scheduler.load_state_dict(deepcopy(before))
            for group, values in zip(groups, kept, strict=True):
                group.update(values)

        return put_back

    def state_dict(self) -> dict[str, Any]:
        return {} if self.scheduler is None else self.scheduler.state_dict()

    def load_state_dict(self, state: dict[str, Any]) -> None:
        if self.scheduler is not None:
            self.scheduler.load_state_dict(state)


def _step(scheduler: LRScheduler) -> list[float]:
    """The rates after a step at which the loss is the same as before."""
    if isinstance(scheduler, ReduceLROnPlateau):
        scheduler.step(1.0)
    else:
        scheduler.step()
    return [float(group["lr"]) for group in scheduler.optimizer.param_groups]


def cyclic(
    optimizer: Optimizer,
    *,
    base_lr: float | None,
    max_lr: float,
    step_size_up: int,
    mode: Literal["triangular", "triangular2", "exp_range"],
    cycle_momentum: bool,
    step_size_down: int | None = None,
    gamma: float = 1.0,
    base_momentum: float = 0.8,
    max_momentum: float = 0.9,
) -> CyclicLR:
    """torch's CyclicLR, from ``base_lr``, a tenth of ``max_lr`` where it is None, and back.

    Raises:
        UserError: ``base_lr`` is not below ``max_lr``, so that the rate would stay or swing back.
    """
    base = max_lr / 10 if base_lr is None else base_lr
    if base >= max_lr:
        raise UserError(
            f"scheduler.base_lr={base:g} is not below scheduler.max_lr={max_lr:g}: the learning "
            "rate would not rise; allowed is a number below it, or null for a tenth of it"
        )
    return CyclicLR(
        optimizer,
        base,
        max_lr,
        step_size_up=step_size_up,
        step_size_down=step_size_down,
        mode=mode,
        gamma=gamma,
        cycle_momentum=cycle_momentum,
        base_momentum=base_momentum,
        max_momentum=max_momentum,
    )


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
