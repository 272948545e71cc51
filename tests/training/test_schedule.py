from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import nn
from torch.optim.lr_scheduler import (
    ConstantLR,
    CyclicLR,
    ExponentialLR,
    LambdaLR,
    LinearLR,
    LRScheduler,
    MultiStepLR,
    OneCycleLR,
    ReduceLROnPlateau,
    StepLR,
)

from cnnsweep.errors import UserError
from cnnsweep.training.schedule import Schedule, cyclic, in_turn


def optimizer() -> torch.optim.Optimizer:
    return torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=1.0)


def rates(
    schedule: Schedule, made: torch.optim.Optimizer, losses: list[float], batches: int
) -> list[float]:
    """The learning rate after each epoch."""
    found = []
    for loss in losses:
        for _ in range(batches):
            made.step()
            schedule.batch_ended()
        schedule.epoch_ended(loss)
        found.append(made.param_groups[0]["lr"])
    return found


def test_an_epochs_schedule_steps_once_an_epoch() -> None:
    made = optimizer()
    schedule = Schedule(ExponentialLR(made, gamma=0.5), "epoch")
    assert rates(schedule, made, [1, 1, 1], batches=7) == [0.5, 0.25, 0.125]


def test_a_batchs_schedule_steps_once_a_batch() -> None:
    made = optimizer()
    schedule = Schedule(OneCycleLR(made, max_lr=1.0, epochs=2, steps_per_epoch=4), "batch")
    found = [made.param_groups[0]["lr"]]  # of each batch
    for _ in range(7):
        made.step()
        schedule.batch_ended()
        schedule.epoch_ended(1.0)
        found.append(made.param_groups[0]["lr"])
    assert max(found) > 0.9
    assert found[0] == pytest.approx(1 / 25)
    assert found[-1] == pytest.approx(4e-6)


def test_a_plateau_is_one_of_the_loss() -> None:
    made = optimizer()
    schedule = Schedule(ReduceLROnPlateau(made, factor=0.1, patience=1), "epoch")
    assert rates(schedule, made, [1.0, 0.9, 0.9, 0.9], batches=1) == [1.0, 1.0, 1.0, 0.1]


def test_no_scheduler_keeps_the_rate_and_has_no_state() -> None:
    made = optimizer()
    schedule = Schedule(None, "epoch")
    assert rates(schedule, made, [1, 1], batches=3) == [1.0, 1.0]
    assert schedule.state_dict() == {}


def test_schedules_in_turn_begin_at_their_milestones() -> None:
    made = optimizer()
    parts = [
        lambda o: LinearLR(o, start_factor=0.5, total_iters=2),
        lambda o: ExponentialLR(o, gamma=0.1),
    ]
    schedule = Schedule(in_turn(made, schedules=parts, milestones=[2]), "epoch")
    assert made.param_groups[0]["lr"] == 0.5
    assert rates(schedule, made, [1, 1, 1], batches=1) == pytest.approx([0.75, 1.0, 0.1])


def test_a_milestone_too_few_is_refused() -> None:
    with pytest.raises(UserError, match="need 1 milestones"):
        in_turn(optimizer(), schedules=[lambda o: LinearLR(o)] * 2, milestones=[])


@pytest.mark.parametrize(
    ("make", "interval", "epochs", "still"),
    [
        (lambda o: StepLR(o, step_size=3), "epoch", 3, True),
        (lambda o: StepLR(o, step_size=3), "epoch", 4, False),
        (lambda o: StepLR(o, step_size=12), "batch", 3, True),
        (lambda o: StepLR(o, step_size=11), "batch", 3, False),
        (lambda o: MultiStepLR(o, milestones=[9, 20]), "epoch", 9, True),
        (lambda o: CyclicLR(o, base_lr=1.0, max_lr=1.0, cycle_momentum=False), "batch", 3, True),
        (lambda o: ReduceLROnPlateau(o, patience=2), "epoch", 4, True),
        (lambda o: ReduceLROnPlateau(o, patience=2), "epoch", 5, False),
        (lambda o: ConstantLR(o, factor=0.5, total_iters=2), "epoch", 2, True),
        (lambda o: ConstantLR(o, factor=0.5, total_iters=2), "epoch", 3, False),
        (lambda o: ExponentialLR(o, gamma=0.9), "epoch", 2, False),
        (lambda o: LambdaLR(o, lambda _: 1.0), "epoch", 50, True),
    ],
)
def test_a_rate_that_never_moves_is_found_and_nothing_is_changed_by_looking(
    make: Callable[[torch.optim.Optimizer], LRScheduler], interval: str, epochs: int, still: bool
) -> None:
    looked, plain = optimizer(), optimizer()
    one, other = Schedule(make(looked), interval), Schedule(make(plain), interval)
    assert one.never_moves(epochs, 4) is still
    assert str(looked.param_groups) == str(plain.param_groups)
    losses = [1.0] * (epochs + 2)
    assert rates(one, looked, losses, 4) == rates(other, plain, losses, 4)


def test_without_a_scheduler_a_constant_rate_is_what_was_chosen() -> None:
    assert not Schedule(None, "epoch").never_moves(5, 4)


def test_a_cycle_begins_at_a_tenth_and_has_to_rise() -> None:
    made = optimizer()
    others: Any = {"step_size_up": 5, "mode": "triangular", "cycle_momentum": False}
    cyclic(made, base_lr=None, max_lr=0.02, **others)
    assert made.param_groups[0]["lr"] == 0.002
    for base in (0.02, 0.5):
        with pytest.raises(
            UserError, match=rf"base_lr={base:g} is not below scheduler.max_lr=0.02"
        ):
            cyclic(optimizer(), base_lr=base, max_lr=0.02, **others)
