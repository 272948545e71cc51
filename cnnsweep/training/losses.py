"""Losses against one-hot targets."""

from typing import Literal, get_args

import torch
from torch import Tensor, nn

from cnnsweep.errors import unknown

Output = Literal["logits", "softmax", "sigmoid"]


class OneHot(nn.Module):
    """Any elementwise criterion (BCE, MSE, L1, smooth L1) of a network's output and one-hot labels.

    ``output`` says what the criterion sees: the logits as they are, or turned into probabilities.
    """

    def __init__(self, *, criterion: nn.Module, output: str) -> None:
        super().__init__()
        if output not in get_args(Output):
            raise unknown("loss.output", output, get_args(Output))
        self.criterion = criterion
        self.output = output

    def forward(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Logits (N, classes) and int64 labels (N) -> mean loss per image, a scalar."""
        target = nn.functional.one_hot(labels, logits.shape[1]).to(logits.dtype)
        seen = logits
        if self.output == "softmax":
            seen = torch.softmax(logits, dim=1)
        elif self.output == "sigmoid":
            seen = torch.sigmoid(logits)
        loss: Tensor = self.criterion(seen, target)
        return loss
