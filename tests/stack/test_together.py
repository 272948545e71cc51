"""Runs that are trained together are, each, what they are alone."""

import random
from collections.abc import Callable
from copy import deepcopy
from typing import Any

import pytest
import torch
from torch import Tensor

from cnnsweep.stack.network import StackedNetwork
from cnnsweep.stack.together import train_together
from tests.stack.runs import (
    NETWORKS,
    assert_equal,
    assert_rows_equal,
    go_on,
    go_on_together,
    make,
    noise,
    own_settings,
    tensors,
)

LOSSES = ("cross_entropy", "cross_entropy", "bce", "mse", "l1", "smooth_l1")


def family_settings(drawn: random.Random) -> list[str]:
    """What runs of one family share, drawn."""
    return [
        f"model.dropout={drawn.choice([0.0, 0.3])}",
        f"augment={drawn.choice(['none', 'light'])}",
        f"loss={drawn.choice(LOSSES)}",
        f"model.layout={drawn.choice(['channels_last', 'contiguous'])}",
        f"test_time_augmentation={drawn.choice(['null', '[shift,flip]'])}",
    ]


def check_whole_runs(model: str, draw: int) -> list[int]:
    """Three epochs of four runs, the last of which leaves all bounds; one is resumed each time.

    Returns the numbers of those that did not diverge.
    """
    drawn = random.Random(f"{model}/{draw}")
    shared = family_settings(drawn)
    words = [[*shared, *own_settings(drawn)] for _ in range(3)]
    words.append([*shared, *own_settings(drawn), "optim.lr=1.0e+30", "scheduler=none"])
    alone, stacked = ([make(model, *typed) for typed in words] for _ in range(2))
    assert [trainer.family.why_alone for trainer in stacked] == [None] * 4
    assert len({trainer.family.key for trainer in stacked}) == 1
    left = list(range(4))
    for epoch in range(3):
        rows = [go_on(alone[number]) for number in left]
        others = go_on_together([stacked[number] for number in left])
        for number, row, other in zip(left, rows, others, strict=True):
            assert_rows_equal(row, other)
            if row is not None:
                # Some losses stay finite though weights do not stay small.
                share = 1e-9 if number == 3 else 0.0
                assert_equal(alone[number], stacked[number], 1e-9, share)
        left = [number for number, row in zip(left, rows, strict=True) if row is not None]
        resumed = make(model, *words[epoch])
        resumed.load_state_dict(deepcopy(stacked[epoch].state_dict()))
        stacked[epoch] = resumed
    assert len(left) >= 2
    return left


@pytest.mark.parametrize("draw", [0])
@pytest.mark.parametrize("model", NETWORKS)
def test_each_run_is_what_it_is_alone_in_float64(model: str, draw: int) -> None:
    assert 3 not in check_whole_runs(model, draw)  # so others had a neighbour that diverged


@pytest.mark.slow
@pytest.mark.parametrize("draw", range(1, 12))
@pytest.mark.parametrize("model", NETWORKS)
def test_each_run_of_more_draws_is_what_it_is_alone(model: str, draw: int) -> None:
    check_whole_runs(model, draw)


@pytest.mark.parametrize("model", NETWORKS)
def test_each_run_is_what_it_is_alone_in_float32_after_twenty_steps(model: str) -> None:
    # Smooth, as are not ReLU and a maximum: these choose by the last bit where two numbers are
    # nearly equal, and a run alone in float32 then differs as much from the same in float64.
    smooth = ["model.activation=tanh", "model.pooling=avg", "model.dropout=0.3"]
    smooth += ["model.stem_pool=false"] if model == "densenet" else []
    words = [
        *smooth,
        "data.train_limit=200",
        "data.batch_size=8",
        "data.val_fraction=0.2",
        "augment=light",
    ]
    drawn = random.Random(model)
    settings = [[*words, *own_settings(drawn)] for _ in range(3)]
    settings.append([*words, "seed=4", "optim.lr=1.0e+30"])
    made = [
        [make(model, *typed, double=False, dataset=noise()) for typed in settings] for _ in range(2)
    ]
    assert len(made[0][0].train) == 20
    for trainer in made[0]:
        trainer.passes(None)
    train_together(made[1])
    for one, other in zip(made[0][:3], made[1][:3], strict=True):
        assert_equal(one, other, 1e-5)


def test_runs_leave_and_join_between_epochs() -> None:
    words = [f"seed={seed}" for seed in range(4)]
    alone, stacked = ([make("resnet", typed) for typed in words] for _ in range(2))
    for group in ([0, 1], [0, 1, 2], [2, 3, 0], [1, 3], [2]):
        for number in group:
            go_on(alone[number])
        go_on_together([stacked[number] for number in group])
    for one, other in zip(alone, stacked, strict=True):
        assert_equal(one, other, 1e-9)


def test_a_run_without_validation_and_with_images_of_its_own_is_what_it_is_alone() -> None:
    words = [[f"seed={seed}", "data.val_fraction=0"] for seed in range(3)]
    alone, stacked = ([make("lenet", *typed) for typed in words] for _ in range(2))
    split: Any = stacked[1].train
    split.pixels = split.pixels.clone()
    for one, row in zip(alone, go_on_together(stacked), strict=True):
        assert_rows_equal(go_on(one), row)
    for one, other in zip(alone, stacked, strict=True):
        assert_equal(one, other, 1e-9)


@pytest.mark.parametrize("before", range(7))
def test_whatever_is_raised_leaves_all_runs_as_they_were(
    before: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    trainers = [make("lenet", "scheduler=one_cycle", f"seed={seed}") for seed in range(3)]
    go_on_together(trainers[:2])
    states = [deepcopy(trainer.state_dict()) for trainer in trainers]
    numbers = [tensors(trainer) for trainer in trainers]
    calls = 0

    def interrupted(method: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **more: Any) -> Any:
            nonlocal calls
            calls += 1
            if calls > before:
                raise KeyboardInterrupt
            return method(*arguments, **more)

        return call

    for name in ("load", "gradients", "parts"):
        monkeypatch.setattr(StackedNetwork, name, interrupted(getattr(StackedNetwork, name)))
    if before < 6:  # the epoch calls them as often: load, parts, 3 batches, parts
        with pytest.raises(KeyboardInterrupt):
            train_together(trainers)
        for trainer, state in zip(trainers, states, strict=True):
            assert str(trainer.state_dict()) == str(state)
        for trainer, old in zip(trainers, numbers, strict=True):
            new = tensors(trainer)
            assert new.keys() == old.keys()
            assert all(torch.equal(new[name], tensor) for name, tensor in old.items())
    else:
        train_together(trainers)


def test_a_batch_is_one_computation_whatever_the_number_of_runs() -> None:
    trainers = [make("simple", f"seed={seed}") for seed in range(3)]
    before = [tensors(trainer) for trainer in trainers]
    state = torch.get_rng_state()
    train_together(trainers)
    assert torch.equal(torch.get_rng_state(), state)  # nobody else's draws are touched
    for trainer, old in zip(trainers, before, strict=True):
        new: dict[str, Tensor] = tensors(trainer)
        assert not torch.equal(new["model.head.1.weight"], old["model.head.1.weight"])
