import torch
from torch import nn

from cnnsweep.training.optimizer_step import OptimizerStep
from cnnsweep.training.schedule import Schedule


def weight_after_a_step(grad_clip: float | None, l1: float) -> torch.Tensor:
    """A weight (3, -4) whose loss has the gradient (6, -8), after a step of length 1."""
    weight = nn.Parameter(torch.tensor([3.0, -4.0]))
    optimizer = torch.optim.SGD([weight], lr=1.0)
    step = OptimizerStep(optimizer, Schedule(None, "epoch"), [weight], grad_clip=grad_clip, l1=l1)
    step((weight**2).sum())
    assert weight.grad is None
    return weight.detach()


def test_a_plain_step_follows_the_gradient() -> None:
    assert weight_after_a_step(None, 0.0).tolist() == [-3.0, 4.0]


def test_clipping_limits_the_norm_of_all_gradients() -> None:
    moved = weight_after_a_step(1.0, 0.0) - torch.tensor([3.0, -4.0])
    torch.testing.assert_close(moved, torch.tensor([-0.6, 0.8]))


def test_the_l1_penalty_pulls_towards_zero() -> None:
    assert weight_after_a_step(None, 0.5).tolist() == [-3.5, 4.5]
