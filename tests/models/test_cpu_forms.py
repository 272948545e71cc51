"""Forms for CPUs give what torch's own layers give: values, gradients, running averages."""

from itertools import cycle, product

import pytest
import torch
from torch import Tensor, nn

from cnnsweep.models.cpu_forms import Conv2d, Stage, for_cpu
from cnnsweep.models.stages import Window, stage, stages
from tests.models.networks import NETWORKS, Network, build, describe, pictures

WIDTHS = [(6, 16), (16, 6, 9), (7, 15, 8), (3, 5)]
# Each width meets each norm and pooling; activations take turns.
TRUNKS = [
    (*trunk, activation)
    for trunk, activation in zip(
        product(WIDTHS, ["none", "batch", "local_response"], ["max", "avg"]),
        cycle(["relu", "sigmoid", "elu", "tanh", "leaky_relu"]),
        strict=False,
    )
]
OURS = [network for network in NETWORKS if network.model != "torchvision"]


@pytest.mark.parametrize("network", OURS, ids=describe)
def test_every_network_stays_the_same_function(network: Network) -> None:
    assert_same_training(build(network), build(network), pictures((1, 28, 28), images=4))


@pytest.mark.parametrize(("channels", "norm", "pooling", "activation"), TRUNKS, ids=str)
def test_stages_of_any_widths_stay_the_same_function(
    channels: tuple[int, ...], norm: str, pooling: str, activation: str
) -> None:
    def trunk() -> nn.Module:
        torch.manual_seed(0)
        options = {"activation": activation, "pooling": pooling, "norm": norm}
        windows = [Window(3, "same", 1)] * len(channels)
        return stages(2, channels, windows, **options).append(nn.Flatten())

    assert_same_training(trunk(), trunk(), pictures((2, 16, 16), images=3))


def assert_same_training(plain: nn.Module, fast: nn.Module, images: Tensor) -> None:
    """The same outputs, gradients and buffers in float64, in training and evaluation."""
    plain, fast = (model.double().to(memory_format=torch.channels_last) for model in (plain, fast))
    for_cpu(fast)
    images = images.double().contiguous(memory_format=torch.channels_last)
    for training in (True, True, False):
        outputs = []
        for model in (plain, fast):
            torch.manual_seed(1)  # the masks of dropout
            outputs.append(model.train(training)(images))
        torch.testing.assert_close(*outputs)
        weights = torch.randn_like(outputs[0])
        for output in outputs:
            (output * weights).sum().backward()
    assert list(plain.state_dict()) == list(fast.state_dict())
    for name, numbers in plain.state_dict().items():
        torch.testing.assert_close(fast.state_dict()[name], numbers, msg=name)
    for (name, one), other in zip(plain.named_parameters(), fast.parameters(), strict=True):
        torch.testing.assert_close(other.grad, one.grad, msg=name)


def test_six_maps_are_widened_to_eight_but_not_into_the_head() -> None:
    model = build(Network("lenet", {"channels": [6, 6]}))
    for_cpu(model)
    widths: list[int] = []
    for module in model.modules():
        if isinstance(module, Stage):
            module.register_forward_hook(lambda _m, _i, maps: widths.append(maps.shape[1]))
    model(pictures((1, 28, 28)))
    assert widths == [8, 6]


@pytest.mark.parametrize(("channels", "widened"), [(5, 5), (6, 8), (8, 8), (10, 10), (12, 16)])
def test_maps_grow_by_a_third_at_most(channels: int, widened: int) -> None:
    window = Window(3, "same", 1)
    one = stage(1, channels, window, activation="relu", pooling="max", norm="none", may_widen=True)
    for_cpu(one)
    assert one(pictures((1, 8, 8))).shape[1] == widened


def test_without_it_a_stage_is_torchs_own_layers() -> None:
    model = build(Network("lenet", {}))
    convolutions = [module for module in model.modules() if isinstance(module, Conv2d)]
    called: list[nn.Module] = []
    for convolution in convolutions:
        convolution.register_forward_hook(lambda module, _i, _o: called.append(module))
    model(pictures((1, 28, 28)))
    assert called == convolutions
