"""Losses against one-hot targets."""

from torch import Tensor, nn

from cnnsweep.errors import UserError, unknown

OUTPUTS = {"logits": nn.Identity(), "softmax": nn.Softmax(dim=1), "sigmoid": nn.Sigmoid()}


class OneHot(nn.Module):
    """Any elementwise criterion (BCE, MSE, L1, smooth L1) of a network's output and one-hot labels.

    ``output`` is a key of OUTPUTS: what the criterion compares, logits or probabilities.
    ``weight`` (float, classes): an image counts as much as its class's number says, and the loss is
    the weighted mean, as torch's CrossEntropyLoss has it; None: all images count alike.
    """

    weight: Tensor | None

    def __init__(self, *, criterion: nn.Module, output: str, weight: Tensor | None = None) -> None:
        """Raises UserError for an unknown output, and for weights of a criterion without a mean."""
        super().__init__()
        if output not in OUTPUTS:
            raise unknown("loss.output", output, OUTPUTS)
        self.criterion = criterion
        self.output = OUTPUTS[output]
        self.register_buffer("weight", weight)
        if weight is not None:
            _by_image(criterion)

    def forward(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Logits (N, classes) and int64 labels (N) -> mean loss per image, a scalar."""
        target = nn.functional.one_hot(labels, logits.shape[1]).to(logits.dtype)
        loss: Tensor = self.criterion(self.output(logits), target)
        if self.weight is None:
            return loss
        weight = self.weight[labels]  # (N)
        return (loss.mean(dim=1) * weight).sum() / weight.sum()


def _by_image(criterion: nn.Module) -> None:
    """Have a criterion return the loss of each element instead of their mean."""
    if getattr(criterion, "reduction", None) != "mean":
        raise UserError(
            f"loss.weight needs a loss.criterion that takes the mean of its elements "
            f"(reduction: mean), which {type(criterion).__name__} does not; allowed is null"
        )
    criterion.reduction = "none"  # type: ignore[assignment]
