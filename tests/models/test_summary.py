import pytest
import torch

from cnnsweep.models.summary import layer_table
from tests.models.networks import NETWORKS, Network, build, describe


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
