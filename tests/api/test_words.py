"""Values of Python arrive at Hydra as they are, or are refused in one line."""

import json
import random
from enum import Enum
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser
from omegaconf import OmegaConf

from cnnsweep.api.words import words_of
from cnnsweep.config.composing.typed_conditions import with_condition
from cnnsweep.errors import UserError

PIECES = [*"ab01 ,'\"\\={}[]()$:~/.%#@?!<>&|;é\t", "null", "true", "1e3", "interval(0, 1)", "a,b"]
ROUNDS = 300


class Kind(Enum):
    FIRST = "a"


def read(word: str) -> tuple[str, Any]:
    """The key and the plain value that Hydra reads in a word."""
    (override,) = OverridesParser.create().parse_overrides([word])
    assert not override.is_sweep_override(), word
    return override.get_key_element(), OmegaConf.to_container(
        OmegaConf.create({"v": override.value()}), resolve=False
    )["v"]  # type: ignore[index, call-overload]


def drawn(chance: random.Random, depth: int = 0) -> Any:
    kinds = ["text", "number", "whole", "word"] + ["list", "mapping"] * (depth < 2)
    kind = chance.choice(kinds)
    if kind == "text":
        return "".join(chance.choices(PIECES, k=chance.randrange(6))).replace("${", "")
    if kind == "list":
        return [drawn(chance, depth + 1) for _ in range(chance.randrange(4))]
    if kind == "mapping":
        return {f"k{i}": drawn(chance, depth + 1) for i in range(chance.randrange(1, 4))}
    if kind == "number":
        return chance.choice([chance.uniform(-9, 9), 1e-7, 1e22, -0.0, 2.0])
    return chance.choice([None, True, False]) if kind == "word" else chance.randrange(-9, 10**12)


def test_drawn_values_are_read_as_they_were_given() -> None:
    for seed in range(ROUNDS):
        value = drawn(random.Random(seed), depth=1)
        if isinstance(value, dict):
            value = [value]
        (word,) = words_of([], {"my_key": value})
        assert json.dumps(read(word)) == json.dumps(["my_key", value]), word


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ({"model": "lenet", "epochs": 3}, ["model=lenet", "epochs=3"]),
        ({"optim": {"lr": 0.1, "momentum": 0}}, ["optim.lr=0.1", "optim.momentum=0"]),
        ({"optim.lr": 1e-3}, ["optim.lr=0.001"]),
        ({"from_": Path("a b")}, ["from=a b"]),
        ({"init_from": None, "test": True}, ["init_from=null", "test=true"]),
        ({"seed": np.int64(3), "l1": np.float32(0.5)}, ["seed=3", "l1=0.5"]),
        ({"data.mean": np.array([0.5, 0.25])}, ["data.mean=[0.5,0.25]"]),
        ({"optim": OmegaConf.create({"lr": 0.1})}, ["optim.lr=0.1"]),
        ({"init_from": "1e3"}, ["init_from='1e3'"]),
        ({"seed": [0, 1]}, ["seed=[0,1]"]),
        ({"objective": ("val_loss", "parameters")}, ["objective=['val_loss','parameters']"]),
        ({"kind": Kind.FIRST}, ["kind=a"]),
        ({"hydra": {"job": {"env_set": {"A": "b"}}}}, ["hydra.job.env_set={A:'b'}"]),
    ],
)
def test_keys_of_a_run(keys: dict[str, Any], words: list[str]) -> None:
    assert words_of([], keys) == words


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ({"seed": [0, 1], "model": ("simple", "lenet")}, ["seed=0,1", "model=simple,lenet"]),
        ({"seed": range(3)}, ["seed=0,1,2"]),
        ({"optim": {"lr": [0.1, 1]}}, ["optim.lr=0.1,1"]),
        ({"model": {"kernel_size": [[3, 5], [5, 5]]}}, ["model.kernel_size=[3,5],[5,5]"]),
        ({"objective": ["val_loss", "parameters"]}, ["objective=['val_loss','parameters']"]),
        ({"data.mean": [[0.1], [0.2]]}, ["data.mean=[0.1],[0.2]"]),
        ({"n_trials": 4}, ["hydra.sweeper.n_trials=4"]),
        ({"devices": [0, 1]}, ["hydra.sweeper.devices=[0,1]"]),
        ({"threads": 2, "search": "sgd"}, ["threads=2", "search=sgd"]),
        (
            {"hydra": {"sweeper": {"compare": {"model": ["a", "b"]}}}},
            ["hydra.sweeper.compare={model:['a','b']}"],
        ),
        ({"init_from": ["a,b", "c"]}, ["init_from='a,b',c"]),
        ({"init_from": Path("a,b")}, ["init_from='a,b'"]),
    ],
)  # fmt: skip
def test_keys_of_a_sweep(keys: dict[str, Any], words: list[str]) -> None:
    assert words_of([], keys, is_sweep=True) == words


WHEN_SGD = {"optim": "sgd"}
AS_MAPPING = {"space": "interval(0, 0.99)", "when": WHEN_SGD}


@pytest.mark.parametrize(
    ("keys", "key", "space", "when"),
    [
        ({"optim.momentum": AS_MAPPING}, "optim.momentum", "interval(0, 0.99)", WHEN_SGD),
        ({"optim": {"momentum": AS_MAPPING}}, "optim.momentum", "interval(0, 0.99)", WHEN_SGD),
        (
            {"optim.momentum": "{space: interval(0, 0.99), when: {optim: sgd}}"},
            *("optim.momentum", "interval(0, 0.99)", WHEN_SGD),
        ),
        (
            {"model.dropout": {"when": {"optim": ("sgd", "it's")}, "space": [0.1, 0.3]}},
            *("model.dropout", "choice(0.1, 0.3)", {"optim": ["sgd", "it's"]}),
        ),
    ],
)
def test_a_conditional_parameter_arrives_with_its_condition(
    keys: dict[str, Any], key: str, space: str, when: dict[str, Any]
) -> None:
    (word,) = map(with_condition, words_of([], keys, is_sweep=True))
    (override,) = OverridesParser.create().parse_overrides([word])
    assert override.get_key_element().replace("\\", "") == f"++hydra.sweeper.params.{key}"
    assert json.loads(str(override.value())) == {"space": space, "when": when}


@pytest.mark.parametrize(
    ("overrides", "keys", "said"),
    [
        ([], {"seed": float("nan")}, "seed=nan: allowed are finite numbers"),
        ([], {"optim": {"lr": float("inf")}}, "optim.lr=inf: allowed are finite numbers"),
        ([], {"seed": {1, 2}}, "seed={1, 2}: allowed are text"),
        ([], {"seed": object}, "not type"),
        ([], {"a b": 1}, "'a b' is not a key"),
        ([], {"seed": []}, "seed=[]: a sweep needs a value"),
        ([], {"seed": "0,1"}, "a text is one value; several are a list"),
        ([], {"optim.lr": "interval(0, 1)"}, "'optim.lr=interval(0, 1)'"),
        (["--cfg"], {}, "'--cfg' is an option of the command line"),
        ([{"epochs": 3}], {}, "{'epochs': 3}: allowed are words"),
    ],
)
def test_what_cannot_be_written_is_refused(
    overrides: list[Any], keys: dict[str, Any], said: str
) -> None:
    with pytest.raises(UserError) as refused:
        words_of(overrides, keys, is_sweep=True)
    assert said in str(refused.value)
    assert "\n" not in str(refused.value)
