"""What a release of torch must keep for stacks."""

import warnings

import torch
from torch.optim.lr_scheduler import ChainedScheduler, ConstantLR, SequentialLR, StepLR

from cnnsweep.stack.torch_internals import all_of, as_shape, say_stepped


def test_a_shape_is_of_the_same_memory_and_may_be_written_over() -> None:
    leaf = torch.arange(6.0, requires_grad=True)
    values = leaf * 2
    shaped = as_shape(values, 2, 3)
    assert shaped.data_ptr() == values.data_ptr()
    (gradient,) = torch.autograd.grad(shaped.add_(1).sum(), leaf)
    assert gradient.tolist() == [2] * 6
    turned = torch.arange(6.0).view(2, 3).t()
    assert as_shape(turned, 6).tolist() == [0, 3, 1, 4, 2, 5]


def test_all_parts_of_a_schedule_are_found_however_deep() -> None:
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.1)
    inner = [ConstantLR(optimizer), StepLR(optimizer, 2)]
    chained = ChainedScheduler(inner, optimizer)
    last = StepLR(optimizer, 3)
    whole = SequentialLR(optimizer, [ConstantLR(optimizer), last], milestones=[2])
    assert all_of(chained) == [chained, *inner]
    assert all_of(whole)[0] is whole
    assert all_of(whole)[2] is last
    assert all_of(last) == [last]


def test_a_schedule_does_not_warn_of_a_step_that_a_stack_has_made() -> None:
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.1)
    schedule = StepLR(optimizer, 2)
    say_stepped(optimizer)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        schedule.step()
