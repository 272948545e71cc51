"""Where a network pools earlier than its paper, it is the same function."""

import re

import pytest
import torch
from torch import nn

from cnnsweep.errors import UserError
from cnnsweep.models.cpu_forms import BatchNorm2d, Conv2d
from cnnsweep.models.densenet import transition
from cnnsweep.models.layers import ACTIVATIONS, activation_layer
from cnnsweep.models.stages import Window, per_stage, pixels_after, stage
from tests.models.networks import Network, build, pictures


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_every_activation_is_monotone(name: str) -> None:
    outputs = activation_layer(name)(torch.linspace(-8, 8, 1001))
    assert torch.all(outputs.diff() >= 0)


@pytest.mark.parametrize("name", ACTIVATIONS)
@pytest.mark.parametrize("pooling", ["max", "avg"])
def test_a_stage_is_convolution_activation_pooling(name: str, pooling: str) -> None:
    images = torch.randn(3, 2, 11, 11)
    built = stage(2, 4, Window(3, "valid", 1), activation=name, pooling=pooling, norm="none")
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
    built = stage(1, 2, Window(3, "same", 1), activation="relu", pooling="max", norm=norm)
    assert [type(module) for module in built] == kinds
    assert (built[0].bias is None) == (norm == "batch")


@pytest.mark.parametrize("padding", ["same", "valid"])
@pytest.mark.parametrize("kernel_size", [1, 3, 7])
@pytest.mark.parametrize("stride", [1, 2, 3, 5])
def test_a_window_says_what_its_convolution_leaves(
    kernel_size: int, stride: int, padding: str
) -> None:
    window = Window(kernel_size, padding, stride)
    built = stage(1, 2, window, activation="relu", pooling="none", norm="batch")
    assert [type(module) for module in built] == [Conv2d, BatchNorm2d, nn.ReLU]
    for side in range(kernel_size, 20):
        assert built(torch.randn(2, 1, side, side)).shape[2:] == (window.side_after(side),) * 2
    assert padding == "same" or window.side_after(kernel_size - 1) < 1


def test_one_number_is_for_all_stages_and_a_list_has_one_for_each() -> None:
    assert per_stage("model.stride", 2, 3) == [2, 2, 2]
    assert per_stage("model.stride", [3, 2, 1], 3) == [3, 2, 1]


@pytest.mark.parametrize("value", [0, -1, [2], [1, 2, 3, 4], [1, 0, 2], "2", 1.5, None, True, []])
def test_what_is_no_number_for_each_stage_is_refused_by_name(value: object) -> None:
    said = r"model\.stride=.*: allowed is a whole number from 1 up, or a list of 3, one for each"
    with pytest.raises(UserError, match=said):
        per_stage("model.stride", value, 3)


@pytest.mark.parametrize("layout", [torch.channels_last, torch.contiguous_format])
def test_the_head_s_gradient_comes_back_in_the_layout_of_the_maps(
    layout: torch.memory_format,
) -> None:
    model = build(Network("simple", {"norm": "batch"})).to(memory_format=layout)
    seen: list[torch.Tensor] = []

    def look(_module: nn.Module, _given: object, maps: torch.Tensor) -> None:
        assert maps.grad_fn is not None
        maps.grad_fn.register_prehook(lambda gradients: seen.append(gradients[0]))

    model.get_submodule("features").register_forward_hook(look)
    model(pictures((1, 28, 28)).contiguous(memory_format=layout)).sum().backward()
    (gradient,) = seen
    assert gradient.is_contiguous(memory_format=layout)
    assert gradient.is_contiguous() == (layout == torch.contiguous_format)


@pytest.mark.parametrize("window", [Window(3, "same", 10**12), Window(10**12, "valid", 1)])
def test_the_size_that_a_huge_window_needs_is_found_at_once(window: Window) -> None:
    with pytest.raises(UserError, match="28×28 pixels are too small") as error:
        pixels_after("simple", (28, 28), [window, window], "max")
    (side,) = {int(number) for number in re.findall(r"\d{3,}", str(error.value))}
    assert pixels_after("simple", (side, side), [window, window], "max") == 1
    with pytest.raises(UserError, match=f"at least {side}×{side} is needed"):
        pixels_after("simple", (side - 1, side), [window, window], "max")
