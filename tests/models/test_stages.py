"""Where a network pools earlier than its paper, it is the same function."""

import pytest
import torch
from torch import nn

from cnnsweep.models.cpu_forms import BatchNorm2d, Conv2d
from cnnsweep.models.densenet import transition
from cnnsweep.models.layers import ACTIVATIONS, activation_layer
from cnnsweep.models.stages import stage


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_every_activation_is_monotone(name: str) -> None:
    outputs = activation_layer(name)(torch.linspace(-8, 8, 1001))
    assert torch.all(outputs.diff() >= 0)


@pytest.mark.parametrize("name", ACTIVATIONS)
@pytest.mark.parametrize("pooling", ["max", "avg"])
def test_a_stage_is_convolution_activation_pooling(name: str, pooling: str) -> None:
    images = torch.randn(3, 2, 11, 11)
    built = stage(
        2, 4, kernel_size=3, padding="valid", activation=name, pooling=pooling, norm="none"
    )
    convolution = built[0]
    pool = nn.MaxPool2d(2) if pooling == "max" else nn.AvgPool2d(2)
    by_the_book = pool(activation_layer(name)(convolution(images)))
    torch.testing.assert_close(built(images), by_the_book)


@pytest.mark.parametrize("pooling", ["max", "avg"])
def test_a_transition_is_norm_activation_convolution_pooling(pooling: str) -> None:
    maps = torch.randn(3, 6, 10, 10)
    built = transition(6, 3, activation="relu", pooling=pooling, norm="none")
    (convolution,) = (module for module in built if isinstance(module, nn.Conv2d))
    pool = nn.MaxPool2d(2) if pooling == "max" else nn.AvgPool2d(2)
    torch.testing.assert_close(built(maps), pool(convolution(torch.relu(maps))))


@pytest.mark.parametrize(
    ("norm", "kinds"),
    [
        ("none", [Conv2d, nn.MaxPool2d, nn.ReLU]),
        ("batch", [Conv2d, BatchNorm2d, nn.MaxPool2d, nn.ReLU]),
        ("local_response", [Conv2d, nn.MaxPool2d, nn.ReLU, nn.LocalResponseNorm]),
    ],
)
def test_each_norm_stands_in_its_place(norm: str, kinds: list[type[nn.Module]]) -> None:
    built = stage(1, 2, kernel_size=3, padding="same", activation="relu", pooling="max", norm=norm)
    assert [type(module) for module in built] == kinds
    assert (built[0].bias is None) == (norm == "batch")
