"""What is suggested is the key that was meant, wherever in the config it stands."""

import random

import pytest

from cnnsweep.config.nearest_key import nearest_key
from cnnsweep.config.own_keys import GROUPS, default_kinds, is_ours, options_with, own_leaves

KEYS = [
    *own_leaves(), "optim.lr", "optim.momentum", "optim.weight_decay", "model.dropout",
    "model.channels", "data.batch_size", "data.root", "data.val_fraction", "loss.label_smoothing",
]  # fmt: skip


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ("lr", "optim.lr"),
        ("batch_size", "data.batch_size"),
        ("model.lr", "optim.lr"),
        ("LR", "optim.lr"),
        ("optim.LR", "optim.lr"),
        ("epohcs", "epochs"),
        ("learning.momentun", "optim.momentum"),
        ("patience", "early_stopping.patience"),
        ("wholly_else", None),
        ("model.foo", None),
    ],
)
def test_the_nearest_key(given: str, meant: str | None) -> None:
    assert nearest_key(given, KEYS) == meant


@pytest.mark.parametrize("key", [key for key in KEYS if len(key.rpartition(".")[2]) > 4])
def test_one_letter_too_few_is_found_with_and_without_its_section(key: str) -> None:
    draw = random.Random(key)
    parent, _, last = key.rpartition(".")
    place = draw.randrange(1, len(last))
    slip = last[:place] + last[place + 1 :]
    assert nearest_key(f"{parent}.{slip}".lstrip("."), KEYS) == key
    assert nearest_key(slip, KEYS) == key


def test_the_options_that_have_a_key() -> None:
    assert options_with("optim.momentum") == ("nesterov", "rmsprop", "sgd")
    assert options_with("augment.degrees") == ("light",)
    assert options_with("optim.nothing") == options_with("nothing.x") == ()


def test_kinds_are_those_of_the_options_with_that_target() -> None:
    kinds = default_kinds("optim", "torch.optim.SGD")
    assert (kinds["lr"], kinds["nesterov"]) == (float, bool)
    assert default_kinds("optim", "my_pkg.Own") == {}


def test_another_apps_config_is_not_ours() -> None:
    assert not is_ours({"model": {}, "lr": 1, "seed": 0, "epochs": 3, "objective": "x"})
    ours = {key.partition(".")[0] for key in own_leaves()} | {*GROUPS}
    assert is_ours({key: {} if key in GROUPS else 1 for key in ours if key != "seed"})
    assert not is_ours(dict.fromkeys(ours, 1))
