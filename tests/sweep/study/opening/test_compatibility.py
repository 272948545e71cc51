"""What a later launch of a sweep may change, and what it may not."""

from dataclasses import replace
from typing import Any

import pytest
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution

from cnnsweep.errors import UserError
from cnnsweep.folders.recorded_defaults import DEFAULTS, RENAMED, OldDefault
from cnnsweep.sweep.study.opening.compatibility import Facts, as_facts, settle
from tests.sweep.study.studies import make_study

SPACE: dict[str, BaseDistribution] = {
    "lr": FloatDistribution(0.1, 1.0, log=True),
    "size": CategoricalDistribution((16, 32)),
}
FACTS = Facts(
    config={"epochs": 5, "optim": {"momentum": 0.9}, "data": {"root": "here"}},
    space=as_facts(SPACE),
    objectives={"val_accuracy": "maximize"},
    seeds=1,
    seed=0,
    threads=2,
    sampler={"_target_": "a"},
    keep_best=1,
    pruner={"_target_": "b"},
    code={"torch": "2.14", "commit": "abc"},
)


def settle_twice(later: Facts) -> list[str]:
    study, said = make_study(), list[str]()
    settle(study, FACTS, said.append)
    assert said == []
    settle(study, later, said.append)
    return said


def test_the_same_launch_again_says_nothing() -> None:
    assert settle_twice(FACTS) == []


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"config": FACTS.config | {"epochs": 9}}, r"epochs \(was 5, is 9\)"),
        ({"config": FACTS.config | {"optim": {"momentum": 0.5}}}, r"optim.momentum \(was 0.9"),
        ({"seeds": 3}, r"seeds \(was 1, is 3\)"),
        ({"threads": 1}, r"threads \(was 2, is 1\)"),
        ({"seed": 4}, r"seed \(was 0, is 4\)"),
        ({"objectives": {"val_loss": "minimize"}}, "objectives"),
        ({"space": as_facts({"lr": SPACE["lr"]})}, "begun over lr, size, not lr"),
        ({"space": as_facts(SPACE | {"lr": FloatDistribution(0.1, 1)})}, "only bounds may change"),
        (
            {"space": as_facts(SPACE | {"size": CategoricalDistribution((16, 64))})},
            "only bounds may change",
        ),
    ],
)
def test_what_would_mix_results_is_refused_with_the_difference(
    change: dict[str, Any], named: str
) -> None:
    with pytest.raises(UserError, match=named):
        settle_twice(replace(FACTS, **change))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            {"space": as_facts(SPACE | {"lr": FloatDistribution(0.01, 1, log=True)})},
            "first launch space changed: lr: ",
        ),
        ({"sampler": {"_target_": "c"}}, "sampler changed: _target_: a → c"),
        ({"pruner": {"_target_": "c"}}, "pruner changed: _target_: b → c"),
        ({"code": {"torch": "2.15", "commit": "abc"}}, "code changed: torch: 2.14 → 2.15"),
    ],
)
def test_what_leaves_results_comparable_is_said(change: dict[str, Any], said: str) -> None:
    (line,) = settle_twice(replace(FACTS, **change))
    assert said in line


def test_where_the_data_lie_may_change() -> None:
    moved = FACTS.config | {"data": {"root": "there"}}
    assert settle_twice(replace(FACTS, config=moved)) == []


def test_what_an_older_launch_could_not_record_is_what_it_did(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    later = replace(
        FACTS,
        config=FACTS.config | {"optim": {"momentum": 0.9, "stem": 3}},
        sampler={"_target_": "a", "stem": 4},
        pruner={"_target_": "b", "stem": 5},
    )
    with pytest.raises(UserError, match=r"optim.stem \(was not there, is 3\)"):
        settle_twice(later)
    monkeypatch.setitem(DEFAULTS, "optim.stem", OldDefault(3, since="test"))
    assert settle_twice(later) == [
        f"note: since this sweep's first launch {name} changed: stem: None → {value}"
        for name, value in (("sampler", 4), ("pruner", 5))
    ]
    monkeypatch.setitem(DEFAULTS, "hydra.sweeper.sampler.stem", OldDefault(4, since="test"))
    monkeypatch.setitem(DEFAULTS, "hydra.sweeper.pruner.stem", OldDefault(5, since="test"))
    monkeypatch.setitem(RENAMED, "a", "moved.a")
    assert settle_twice(replace(later, sampler={"_target_": "moved.a", "stem": 4})) == []
