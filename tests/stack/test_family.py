"""Which runs are trained together."""

import torch
from torch import nn

from cnnsweep.stack.family import why_alone


def test_another_optimizer_than_sgd_trains_alone() -> None:
    model = nn.Linear(2, 2)
    reason = why_alone(model, torch.optim.Adam(model.parameters()), nn.CrossEntropyLoss())
    assert reason == "optim._target_ is Adam, and only SGD is stacked"
