"""The check before a run that a network, ours or a user's, fits its data."""

import pytest
import torch
from torch import Tensor, nn

from cnnsweep.errors import UserError
from cnnsweep.models.fit import check_fits
from tests.models.networks import Network, build

SMALL = (28, 28)


class Giving(nn.Module):
    """A user's network that gives whatever it is told to."""

    def __init__(self, given: object) -> None:
        super().__init__()
        self.given = given

    def forward(self, _: Tensor) -> object:
        return self.given


def test_the_check_leaves_no_trace() -> None:
    model = build(Network("densenet", {"dropout": 0.3}))
    next(model.children()).eval()
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    modes = [module.training for module in model.modules()]
    state = torch.random.get_rng_state()
    check_fits(model, 1, SMALL, 10, train_batches=(8, 3))
    assert torch.equal(torch.random.get_rng_state(), state)
    assert [module.training for module in model.modules()] == modes
    assert all(torch.equal(before[name], tensor) for name, tensor in model.state_dict().items())
    assert all(parameter.grad is None for parameter in model.parameters())


def test_images_too_small_for_somebody_elses_network_are_refused() -> None:
    model = nn.Sequential(nn.Conv2d(1, 4, 29), nn.Flatten(), nn.Linear(4, 10))
    with pytest.raises(UserError, match="Sequential does not take 2 images of 1×28×28") as caught:
        check_fits(model, 1, SMALL, 10)
    assert "\n" not in str(caught.value)


def test_images_of_other_channels_are_refused() -> None:
    with pytest.raises(UserError, match="Simple does not take 2 images of 3×28×28"):
        check_fits(build(Network("simple", {})), 3, SMALL, 10)


def test_a_batch_of_one_is_refused_where_batch_norm_cannot_use_it() -> None:
    model = build(Network("torchvision", {"name": "resnet18"}))
    check_fits(model, 1, SMALL, 10, train_batches=(64, 2))
    with pytest.raises(UserError, match="a training batch of 1 image of 1×28×28"):
        check_fits(model, 1, SMALL, 10, train_batches=(64, 1))


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ((torch.zeros(2, 10), None), "gives a tuple, not a tensor"),
        (torch.zeros(2, 9), r"shape \(2, 9\) for 2 images of 1×28×28: .* \(2, 10\)"),
        (torch.zeros(2, 10, 1, 1), r"shape \(2, 10, 1, 1\)"),
    ],
)
def test_another_output_than_logits_is_refused(given: object, said: str) -> None:
    with pytest.raises(UserError, match=said):
        check_fits(Giving(given), 1, SMALL, 10)


def test_a_mistake_in_a_users_network_keeps_its_own_error() -> None:
    class Mistaken(nn.Module):
        def forward(self, images: Tensor) -> Tensor:
            return images.no_such_thing  # type: ignore[attr-defined, no-any-return]

    with pytest.raises(AttributeError, match="no_such_thing"):
        check_fits(Mistaken(), 1, SMALL, 10)
