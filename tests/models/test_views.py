"""Test-time augmentation is the mean over moved and mirrored images."""

import pytest
import torch
from torch import Tensor, nn

from cnnsweep.models.views import AveragedViews
from tests.models.networks import Network, build, pictures


def by_the_book(images: Tensor, views: tuple[str, ...]) -> list[Tensor]:
    """The views, made pixel by pixel."""
    height, width = images.shape[2:]
    moves = [(0, 0), (1, 0), (-1, 0), (0, 1), (0, -1)] if "shift" in views else [(0, 0)]
    made = []
    for down, right in moves:
        rows = (torch.arange(height) - down).clamp(0, height - 1)
        columns = (torch.arange(width) - right).clamp(0, width - 1)
        made.append(images[:, :, rows][:, :, :, columns])
    return made + [torch.fliplr(view.transpose(1, 3)).transpose(1, 3) for view in made] * (
        "flip" in views
    )


@pytest.mark.parametrize(
    ("views", "count"), [(("shift",), 5), (("flip",), 2), (("shift", "flip"), 10)]
)
@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_logits_are_the_mean_over_all_views(
    views: tuple[str, ...], count: int, layout: torch.memory_format
) -> None:
    network = build(Network("simple", {"norm": "batch"}), (3, 12, 9)).eval()
    images = pictures((3, 12, 9)).contiguous(memory_format=layout)
    expected = by_the_book(images, views)
    assert len(expected) == count
    assert len({tuple(view.flatten().tolist()) for view in expected}) == count
    mean = torch.stack([network(view) for view in expected]).mean(0)
    torch.testing.assert_close(AveragedViews(network, views)(images), mean)


def test_the_weights_and_the_state_are_the_networks_own() -> None:
    network = nn.Linear(4, 2)
    around = AveragedViews(network, ["flip"])
    assert list(around.parameters()) == list(network.parameters())
    assert around.eval().network.training is False
