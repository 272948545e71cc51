"""Losses against one-hot targets."""

from torch import Tensor, nn

from cnnsweep.errors import unknown

OUTPUTS = {"logits": nn.Identity(), "softmax": nn.Softmax(dim=1), "sigmoid": nn.Sigmoid()}


class OneHot(nn.Module):
    """Any elementwise criterion (BCE, MSE, L1, smooth L1) of a network's output and one-hot labels.

    ``output`` is a key of OUTPUTS: what the criterion compares, logits or probabilities.
    """

    def __init__(self, *, criterion: nn.Module, output: str) -> None:
        super().__init__()
        if output not in OUTPUTS:
            raise unknown("loss.output", output, OUTPUTS)
        self.criterion = criterion
        self.output = OUTPUTS[output]

    def forward(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Logits (N, classes) and int64 labels (N) -> mean loss per image, a scalar."""
        target = nn.functional.one_hot(labels, logits.shape[1]).to(logits.dtype)
        loss: Tensor = self.criterion(self.output(logits), target)
        return loss
