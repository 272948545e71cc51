import pytest
from torch import nn

from cnnsweep.errors import UserError
from cnnsweep.models.last_layer import last_layer, last_layer_name
from tests.models.networks import NETWORKS, Network, build, describe


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
