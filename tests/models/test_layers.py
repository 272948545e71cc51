import math

import torch
from torch import nn

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
