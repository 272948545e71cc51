"""Which runs are trained together."""

import pytest
import torch
from torch import nn

from cnnsweep.stack.family import why_alone
from cnnsweep.training.losses import OneHot
from cnnsweep.training.optimizer_step import OptimizerStep
from cnnsweep.training.schedule import Schedule
from cnnsweep.training.trainer import Trainer
from tests.stack.runs import make

SGD = torch.optim.SGD


class LeNet(nn.Module):
    """Somebody's own, of the same name."""


def of(
    trainer: Trainer,
    *,
    model: nn.Module | None = None,
    optimizer: torch.optim.Optimizer | None = None,
    loss: nn.Module | None = None,
    augment: nn.Module | None = None,
) -> str | None:
    step = trainer.step
    other = OptimizerStep(optimizer or step.optimizer, step.schedule, step.parameters, None, 0.0)
    return why_alone(model or trainer.model, other, loss or nn.CrossEntropyLoss(), augment)


def test_what_cannot_be_stacked_says_why() -> None:
    trainer = make("lenet")
    weights = list(trainer.model.parameters())
    mean_of = OneHot(criterion=nn.MSELoss(), output="logits")
    assert of(trainer) is None
    assert of(trainer, loss=mean_of) is None
    adam = torch.optim.Adam(weights)
    assert of(trainer, optimizer=adam) == "optim._target_ is Adam, and only SGD is stacked"
    groups = SGD([{"params": weights[:2]}, {"params": weights[2:]}], lr=0.1)
    assert of(trainer, optimizer=groups) == "its optimizer has 2 groups of parameters"
    backwards = SGD(weights, lr=0.1, maximize=True)
    assert of(trainer, optimizer=backwards) == "optim.maximize=true"
    some = SGD(weights[:2], lr=0.1)
    assert of(trainer, optimizer=some) == "not all of its parameters are trained"
    own_network = LeNet()
    own_network.weight = nn.Parameter(torch.zeros(2))
    reason = of(trainer, model=own_network, optimizer=SGD(own_network.parameters(), lr=0.1))
    assert reason == "model._target_ is LeNet, which is not one of ours"
    assert of(trainer, loss=nn.NLLLoss()) == "the loss is NLLLoss"
    weighted = nn.CrossEntropyLoss(torch.ones(10))
    assert of(trainer, loss=weighted) == "loss.weight is given"
    summed = nn.CrossEntropyLoss(reduction="sum")
    assert of(trainer, loss=summed) == "the reduction of CrossEntropyLoss is not mean"
    assert of(trainer, loss=nn.CrossEntropyLoss(ignore_index=3)) == "loss.ignore_index is a class"
    reason = of(trainer, augment=nn.Identity())
    assert reason == "augment._target_ makes a Identity, which cannot draw for one run alone"


def test_a_network_with_hooks_trains_alone() -> None:
    trainer = make("resnet")
    trainer.model.features.register_forward_hook(lambda *_: None)  # type: ignore[union-attr]
    assert of(trainer) == "features has hooks"


def test_a_network_with_another_layer_trains_alone() -> None:
    trainer = make("simple")
    trainer.model.head.append(nn.Dropout1d(0.5))  # type: ignore[operator, union-attr]
    assert of(trainer) == "head.4 is a Dropout1d"


@pytest.mark.parametrize(("interval", "is_alone"), [("epoch", False), ("batch", True)])
def test_an_own_schedule_that_steps_by_batches_trains_alone(interval: str, is_alone: bool) -> None:
    class Own(torch.optim.lr_scheduler.StepLR):
        pass

    trainer = make("lenet")
    own = Schedule(Own(trainer.step.optimizer, 1), interval)
    step = OptimizerStep(trainer.step.optimizer, own, trainer.step.parameters, None, 0.0)
    reason = why_alone(trainer.model, step, nn.CrossEntropyLoss(), None)
    assert reason == ("scheduler._target_ is Own, which is not torch's" if is_alone else None)


def test_runs_may_differ_in_their_own_keys_only() -> None:
    one = make("lenet", "seed=1", "optim.lr=0.1", "scheduler=cosine", "l1=0.01")
    assert make("lenet", "seed=2", "grad_clip=1.0").family.key == one.family.key
    for other in ("model.dropout=0.1", "augment=light", "data.batch_size=8", "loss=mse"):
        assert make("lenet", other).family.key != one.family.key
