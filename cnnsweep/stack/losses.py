"""A loss of several runs at once: one number for each run."""

from collections.abc import Callable
from copy import deepcopy

from torch import Tensor, nn

from cnnsweep.training.losses import OneHot

ELEMENTWISE = (nn.BCEWithLogitsLoss, nn.BCELoss, nn.MSELoss, nn.L1Loss, nn.SmoothL1Loss)
Losses = Callable[[Tensor, Tensor], Tensor]


def why_not(loss: object) -> str | None:
    """Why a loss cannot be computed for several runs at once, in words; None where it can."""
    criterion = loss.criterion if type(loss) is OneHot else loss
    kind = type(criterion)
    if kind not in (ELEMENTWISE if criterion is not loss else (nn.CrossEntropyLoss,)):
        return f"the loss is {kind.__name__}"
    if any(getattr(part, "weight", None) is not None for part in (loss, criterion)):
        return "loss.weight is given"
    if getattr(criterion, "pos_weight", None) is not None:
        return "loss.criterion.pos_weight is given"
    if getattr(criterion, "ignore_index", -1) >= 0:
        return "loss.ignore_index is a class"
    if getattr(criterion, "reduction", None) != "mean":
        return f"the reduction of {kind.__name__} is not mean"
    return None


def per_run(loss: nn.Module, size: int) -> Losses:
    """Logits (N·K, classes) and int64 labels (N, K) -> each run's mean loss, (K)."""
    each = deepcopy(loss)
    (each.criterion if isinstance(each, OneHot) else each).reduction = "none"  # type: ignore[assignment]

    def losses(logits: Tensor, labels: Tensor) -> Tensor:
        values: Tensor = each(logits, labels.flatten())  # (N·K) or (N·K, classes)
        return values.view(len(labels), size, -1).mean(dim=(0, 2))

    return losses
