"""What stacks need of torch that has no public name; its tests say what a release must keep."""

from torch import Tensor, ops
from torch.optim import Optimizer
from torch.optim.lr_scheduler import ChainedScheduler, LRScheduler, SequentialLR


def as_shape(values: Tensor, *shape: int) -> Tensor:
    """Contiguous values in another shape, without a copy, of which autograd knows no view.

    A layer that writes over what it gets may write over it as if it were the layer's own: after a
    view, autograd would copy the values and every gradient.
    """
    shaped: Tensor = ops.aten._unsafe_view(values.contiguous(), list(shape))
    return shaped


def all_of(scheduler: LRScheduler) -> list[LRScheduler]:
    """A scheduler and those that it is made of, if any."""
    parts = scheduler._schedulers if isinstance(scheduler, SequentialLR | ChainedScheduler) else ()
    return [scheduler, *(one for part in parts for one in all_of(part))]


def say_stepped(optimizer: Optimizer) -> None:
    """Have schedules see that the optimizer made a step, before they warn that it did not."""
    optimizer._opt_called = True  # type: ignore[attr-defined]
