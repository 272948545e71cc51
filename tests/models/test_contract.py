"""What every network of conf/model keeps to, at every shape."""

import re

import pytest
import torch
from torch import nn

from cnnsweep.errors import UserError
from cnnsweep.models.inspect import check_fits
from tests.models.networks import (
    COMPOSED,
    NETWORKS,
    OURS,
    SHAPES,
    SMALLEST_SIDES,
    Network,
    build,
    describe,
    pictures,
)

Shape = tuple[int, int, int]
every_network = pytest.mark.parametrize("network", NETWORKS, ids=describe)
every_shape = pytest.mark.parametrize("shape", SHAPES, ids=describe)


@every_network
@every_shape
def test_one_logit_a_class_for_each_image(network: Network, shape: Shape) -> None:
    model = build(network, shape, classes=7).eval()
    assert model(pictures(shape)).shape == (4, 7)
    assert model(pictures(shape, images=1)).shape == (1, 7)
    check_fits(model, shape[0], shape[1:], 7)


@every_network
@every_shape
def test_a_gradient_reaches_every_parameter(network: Network, shape: Shape) -> None:
    model = build(network, shape)
    loss = nn.functional.cross_entropy(model(pictures(shape, images=8)), torch.arange(8))
    loss.backward()  # type: ignore[no-untyped-call]
    without = [
        name
        for name, parameter in model.named_parameters()
        if parameter.grad is None or not parameter.grad.any()
    ]
    assert without == []


@every_network
def test_one_seed_gives_one_set_of_weights(network: Network) -> None:
    first, again, other = (build(network, seed=seed).state_dict() for seed in (3, 3, 4))
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert not all(torch.equal(first[name], other[name]) for name in first)


@every_network
@every_shape
def test_evaluation_repeats_itself_and_only_training_drops_out(
    network: Network, shape: Shape
) -> None:
    model, images = build(network, shape), pictures(shape)
    drops = any(isinstance(module, nn.Dropout) for module in model.modules())
    assert torch.equal(model(images), model(images)) != drops
    model.eval()
    assert torch.equal(model(images), model(images))


@every_network
def test_a_state_dict_carries_the_whole_network(network: Network) -> None:
    shape = (1, 28, 28)
    trained, fresh = build(network, seed=0), build(network, seed=1)
    trained(pictures(shape))  # moves the running averages of a batch norm
    fresh.load_state_dict(trained.state_dict())
    images = pictures(shape)
    assert torch.equal(trained.eval()(images), fresh.eval()(images))


@every_network
@every_shape
def test_channels_last_is_the_same_function(network: Network, shape: Shape) -> None:
    model, images = build(network, shape).eval(), pictures(shape)
    expected = model(images)
    model = model.to(memory_format=torch.channels_last)
    logits = model(images.contiguous(memory_format=torch.channels_last))
    torch.testing.assert_close(logits, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    ("network", "parameters"),
    [
        (Network("simple", {}), 421_642),
        (
            Network(
                "simple", {"channels": [10, 20], "kernel_size": 5, "padding": "valid", "hidden": []}
            ),
            8_490,
        ),
        (Network("simple", {"hidden": [1024]}), 3_241_354),
        (Network("simple", {"hidden": 1024}), 3_241_354),
        (Network("inception", {}), 97_298),
        (Network("resnet", {}), 41_514),
        (Network("lenet", {"norm": "none"}), 61_706),
        (Network("lenet", {}), 61_728),
        (Network("densenet", {}), 38_346),
    ],
    ids=str,
)
def test_the_recipes_networks_have_their_number_of_parameters(
    network: Network, parameters: int
) -> None:
    assert sum(parameter.numel() for parameter in build(network).parameters()) == parameters


@pytest.mark.parametrize("model", OURS)
def test_the_smallest_image_is_taken_and_a_smaller_one_refused(model: str) -> None:
    side = SMALLEST_SIDES[model]
    network = Network(model, {})
    assert build(network, (1, side, side)).eval()(pictures((1, side, side))).shape == (4, 10)
    for height, width in [(side - 1, side), (28, side - 1), (1, 1)]:
        message = f"images of {height}×{width} pixels .* {model}: at least {side}×{side}"
        with pytest.raises(UserError, match=message):
            build(network, (1, height, width))


@pytest.mark.parametrize("network", [n for n in NETWORKS if n.model != "torchvision"], ids=describe)
def test_every_size_from_the_smallest_up_fits(network: Network) -> None:
    smallest = 4
    while not fits(network, smallest):
        smallest += 1
    for side in range(smallest, smallest + 5):
        shape = (1, side, side + 3)
        assert build(network, shape).eval()(pictures(shape)).shape == (4, 10)


def fits(network: Network, side: int) -> bool:
    try:
        build(network, (1, side, side))
    except UserError:
        return False
    return True


@pytest.mark.parametrize("model", COMPOSED)
def test_every_yaml_names_a_layout_and_builds(model: str) -> None:
    assert COMPOSED[model]["layout"] in ("channels_last", "contiguous")
    assert isinstance(build(Network(model, {})), nn.Module)


def test_the_six_models_of_the_contract_are_there() -> None:
    assert set(COMPOSED) == {*OURS, "torchvision"}


@pytest.mark.parametrize(
    ("model", "key", "value"),
    [(model, "dropout", value) for model in OURS for value in (1, -0.1, True, "half", None)]
    + [(model, "activation", "rulo") for model in OURS]
    + [(model, "pooling", "maximum") for model in OURS]
    + [(model, "pooling", ["max"]) for model in OURS]
    + [("simple", "pooling", value) for value in (None, [], 2, ["max", "most"], ["max"] * 3)]
    + [(model, "norm", None) for model in OURS]
    + [(model, "init", "xavia") for model in OURS]
    + [(model, "channels", value) for model in OURS[:-1] for value in ([], [0], 8, "8", [8, 1.5])]
    + [(model, "kernel_size", value) for model in OURS[:-1] for value in (0, 2.5, True)]
    + [
        ("simple", "kernel_size", 4),
        ("lenet", "kernel_size", 2),
        ("densenet", "stem_kernel_size", 4),
    ]
    + [("simple", "padding", "some"), ("simple", "hidden", [0]), ("lenet", "hidden", -1)]
    + [("inception", key, 0) for key in ("branch_1x1", "branch_pool")]
    + [("inception", key, []) for key in ("branch_3x3", "branch_5x5")]
    + [("resnet", "blocks", 0), ("densenet", "blocks", [])]
    + [("densenet", key, 0) for key in ("growth_rate", "bottleneck", "stem_channels")]
    + [("densenet", "compression", value) for value in (0, 1.5, "half", True)]
    + [("densenet", "stem_pool", 1), ("densenet", "stem_kernel_size", 0)]
    + [("torchvision", "name", "resnet19"), ("torchvision", "resize", 0)],
)
def test_a_value_out_of_range_is_named_with_its_key(model: str, key: str, value: object) -> None:
    with pytest.raises(UserError) as caught:
        build(Network(model, {key: value}))
    message = str(caught.value)
    assert f"model.{key}" in message
    assert re.search("[Aa]llowed", message)
    assert "\n" not in message


def test_an_unknown_name_comes_with_the_nearest() -> None:
    with pytest.raises(UserError, match=r"unknown model.activation 'rulo'. Did you mean 'relu'\?"):
        build(Network("simple", {"activation": "rulo"}))
