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


WEIGHT = torch.tensor([1.0, 5.0, 3.0])


@pytest.mark.parametrize("kind", [nn.MSELoss, nn.L1Loss, nn.SmoothL1Loss, nn.BCEWithLogitsLoss])
def test_weights_make_the_weighted_mean_over_images(kind: type[nn.Module]) -> None:
    plain = OneHot(criterion=kind(), output="logits")
    each = torch.stack([plain(LOGITS[i : i + 1], LABELS[i : i + 1]) for i in range(2)])
    weighted = OneHot(criterion=kind(), output="logits", weight=WEIGHT)
    torch.testing.assert_close(weighted(LOGITS, LABELS), (each[0] * 1 + each[1] * 3) / 4)
    alike = OneHot(criterion=kind(), output="logits", weight=torch.full((3,), 2.0))
    torch.testing.assert_close(alike(LOGITS, LABELS), plain(LOGITS, LABELS))


def test_weights_of_a_criterion_that_takes_no_mean_are_refused() -> None:
    with pytest.raises(UserError, match=r"loss\.weight needs .*which Identity does not"):
        OneHot(criterion=nn.Identity(), output="logits", weight=WEIGHT)
    with pytest.raises(UserError, match=r"which MSELoss does not; allowed is null"):
        OneHot(criterion=nn.MSELoss(reduction="sum"), output="logits", weight=WEIGHT)
