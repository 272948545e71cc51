from pathlib import Path

import pytest
import torch
from torch import nn

from cnnsweep.errors import UserError
from cnnsweep.training.fine_tuning import freeze_all_but, load_weights, training_mode


def net(classes: int, width: int = 4) -> nn.Sequential:
    return nn.Sequential(nn.Linear(3, width), nn.BatchNorm1d(width), nn.Linear(width, classes))


def saved(model: nn.Module, folder: Path) -> Path:
    torch.save({"model": model.state_dict(), "epoch": 3}, folder / "weights.pt")
    return folder / "weights.pt"


def test_weights_are_taken_over(tmp_path: Path) -> None:
    there, here = net(2), net(2)
    assert load_weights(here, saved(there, tmp_path), "2") == []
    for name, tensor in there.state_dict().items():
        assert torch.equal(here.state_dict()[name], tensor)


def test_a_last_layer_for_other_classes_stays_as_it_was(tmp_path: Path) -> None:
    there, here = net(2), net(7)
    before = here.state_dict()["2.weight"].clone()
    assert load_weights(here, saved(there, tmp_path), "2") == ["2.weight", "2.bias"]
    assert torch.equal(here.state_dict()["2.weight"], before)
    assert torch.equal(here.state_dict()["0.weight"], there.state_dict()["0.weight"])


def test_other_shapes_are_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"0.weight is \(4, 3\) there, \(5, 3\) here"):
        load_weights(net(2, width=5), saved(net(2), tmp_path), "2")


def test_another_network_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="another network"):
        load_weights(nn.Linear(3, 2), saved(net(2), tmp_path), "")


def test_frozen_layers_keep_weights_and_statistics() -> None:
    model = net(2)
    freeze_all_but(model, model[2])
    assert [p for p in model.parameters() if p.requires_grad] == list(model[2].parameters())
    training_mode(model, is_frozen=True)
    model(torch.randn(8, 3))
    assert torch.equal(model.state_dict()["1.running_mean"], torch.zeros(4))
