"""The check before a run that a network, ours or a user's, fits its data."""

import pytest
import torch
from torch import Tensor, nn

from cnnsweep.errors import UserError
from cnnsweep.models.inspect import check_fits, last_layer, last_layer_name, layer_table
from tests.models.networks import NETWORKS, Network, build, describe

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
    said = "a training batch of 1 image of 1×28×28.*; another data.batch_size leaves no batch"
    with pytest.raises(UserError, match=said):
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


@pytest.mark.parametrize(
    "network", [*NETWORKS, Network("torchvision", {"name": "squeezenet1_1"})], ids=describe
)
def test_the_last_layer_gives_the_logits(network: Network) -> None:
    model = build(network, classes=7)
    layer = last_layer(model)
    assert isinstance(layer, nn.Linear | nn.Conv2d)
    assert layer.weight.shape[0] == 7
    assert model.get_submodule(last_layer_name(model)) is layer


def test_a_network_without_layers_has_no_last_one() -> None:
    with pytest.raises(UserError, match="Flatten has no linear or convolution layer"):
        last_layer(nn.Flatten())


@pytest.mark.parametrize("network", NETWORKS, ids=describe)
def test_the_table_counts_parameters_and_leaves_no_trace(network: Network) -> None:
    model = build(network).to(memory_format=torch.channels_last)
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    state = torch.random.get_rng_state()
    table = layer_table(model, 1, (28, 28))
    parameters = sum(parameter.numel() for parameter in model.parameters())
    assert f"Total params: {parameters:,}" in table
    assert torch.equal(torch.random.get_rng_state(), state)
    assert all(torch.equal(before[name], tensor) for name, tensor in model.state_dict().items())
    assert model.training


def test_the_table_lists_each_layers_output_shape() -> None:
    table = layer_table(build(Network("lenet", {})), 1, (28, 28))
    for shape in ("[1, 6, 28, 28]", "[1, 6, 14, 14]", "[1, 16, 5, 5]", "[1, 400]", "[1, 84]"):
        assert shape in table
    assert "Conv2d (0)" in table
    assert "48,120" in table  # 400 × 120 weights and 120 biases
