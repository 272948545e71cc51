import math

import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import dropout

from cnnsweep.models.layers import Dropout
from tests.models.networks import Network, build


def test_xavier_weights_fill_their_range_and_biases_stay_torchs() -> None:
    xavier = build(Network("lenet", {"init": "xavier", "norm": "none"}))
    default = build(Network("lenet", {"init": "default", "norm": "none"}))
    for name, weight in xavier.named_parameters():
        if name.endswith("bias"):
            # Drawn before Xavier draws the weights anew, so both networks share them.
            assert torch.equal(weight, default.get_parameter(name))
        else:
            fan_in, fan_out = nn.init._calculate_fan_in_and_fan_out(weight)
            bound = math.sqrt(6 / (fan_in + fan_out))
            assert 0.9 * bound < weight.abs().max() <= bound


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
@pytest.mark.parametrize("order", [torch.contiguous_format, torch.channels_last])
def test_dropout_is_torchs_to_the_last_bit_on_a_cpu(
    share: float, order: torch.memory_format
) -> None:
    values = torch.randn(8, 6, 5, 5).contiguous(memory_format=order)
    torch.manual_seed(1)
    expected = dropout(values, share)
    torch.manual_seed(1)
    assert torch.equal(Dropout(share)(values), expected)
    assert Dropout(share).eval()(values) is values


def test_maps_that_are_dropped_lie_in_the_order_of_the_layout() -> None:
    # What is drawn for a network in a stack lies in the memory as it would alone.
    seen = []
    network = build(Network("densenet", {"dropout": 0.2})).to(memory_format=torch.channels_last)

    def note(_module: nn.Module, arguments: tuple[Tensor], _out: Tensor) -> None:
        seen.append(arguments[0].is_contiguous(memory_format=torch.channels_last))

    for module in network.modules():
        if isinstance(module, Dropout):
            module.register_forward_hook(note)
    network(torch.randn(4, 28, 28, 1).permute(0, 3, 1, 2))
    assert seen
    assert all(seen)
