import pytest
import torch
from torch import nn

from cnnsweep.errors import UserError
from cnnsweep.training.losses import OneHot

LOGITS = torch.tensor([[2.0, -1.0, 0.5], [0.0, 0.0, 3.0]])
LABELS = torch.tensor([0, 2])
TARGET = torch.tensor([[1.0, 0.0, 0.0], [0.0, 0.0, 1.0]])


@pytest.mark.parametrize(
    ("criterion", "output", "expected"),
    [
        (nn.MSELoss(), "logits", ((LOGITS - TARGET) ** 2).mean()),
        (nn.L1Loss(), "softmax", (LOGITS.softmax(dim=1) - TARGET).abs().mean()),
        (nn.MSELoss(), "sigmoid", ((LOGITS.sigmoid() - TARGET) ** 2).mean()),
        (
            nn.BCEWithLogitsLoss(),
            "logits",
            nn.functional.binary_cross_entropy(LOGITS.sigmoid(), TARGET),
        ),
    ],
)
def test_the_criterion_sees_the_output_and_one_hot_labels(
    criterion: nn.Module, output: str, expected: torch.Tensor
) -> None:
    loss = OneHot(criterion=criterion, output=output)
    torch.testing.assert_close(loss(LOGITS, LABELS), expected)


def test_an_unknown_output_is_refused() -> None:
    with pytest.raises(UserError, match=r"loss\.output 'softmacks'"):
        OneHot(criterion=nn.MSELoss(), output="softmacks")
