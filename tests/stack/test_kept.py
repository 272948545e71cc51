"""Stacks whose steps are captured train as lone runs do, whoever comes and goes.

The graphs are `Recorder`s, which freeze what a CUDA graph freezes.
"""

import random
from collections.abc import Iterator, Sequence

import pytest
import torch

from cnnsweep.stack import together
from cnnsweep.stack.epoch import Sums
from cnnsweep.stack.kept import MOST_KEPT
from tests.stack.runs import NETWORKS, assert_equal, go_on, go_on_together, make, own_settings
from tests.training.graph.recorder import Recorder

made: list[Recorder] = []


def recorder(_device: torch.device, _generators: Sequence[torch.Generator]) -> Recorder:
    made.append(Recorder())
    return made[-1]


@pytest.fixture(autouse=True)
def nothing_kept() -> Iterator[None]:
    made.clear()
    together.forget()
    yield
    together.forget()


@pytest.mark.parametrize("model", NETWORKS)
def test_runs_that_come_and_go_are_what_they_are_alone(model: str) -> None:
    drawn = random.Random(f"captured/{model}")
    shared = ["model.dropout=0.3", "augment=light", "epochs=6", "data.batch_size=8"]
    words = [[*shared, *own_settings(drawn), f"seed={seed}"] for seed in range(5)]
    words[3] += ["optim.lr=1.0e+30", "scheduler=none"]
    alone, stacked = ([make(model, *typed) for typed in words] for _ in range(2))
    for group in ([0, 1, 2, 3], [0, 1, 2], [0, 1, 4, 2], [4, 0], [0, 2, 1], [2, 4, 1, 0]):
        rows = [go_on(alone[number]) for number in group]
        others = go_on_together([stacked[number] for number in group], recorder)
        for number, row, other in zip(group, rows, others, strict=True):
            assert (row is None) == (other is None) == (number == 3)
            if row is not None:
                assert_equal(alone[number], stacked[number], 1e-9)


def test_a_stack_keeps_its_captured_steps_while_runs_come_and_go() -> None:
    trainers = [make("lenet", f"seed={seed}", "epochs=9") for seed in range(4)]
    go_on_together(trainers, recorder)
    go_on_together(trainers, recorder)
    before = len(made)
    for group in (trainers[:3], [trainers[3], *trainers[:2]], trainers):
        go_on_together(group, recorder)
    assert len(made) == before
    assert sum(bool(one._recording.operations) for one in made) == 2  # whole batches, and the rest


def test_what_an_update_does_besides_is_captured_anew() -> None:
    alone, stacked = (
        [
            make("lenet", f"seed={seed}", f"grad_clip={clip}")
            for seed, clip in ((1, "null"), (2, 0.1))
        ]
        for _ in range(2)
    )
    alone += [make("lenet", "seed=3")]
    stacked += [make("lenet", "seed=3")]
    for group in ([0, 2], [0, 2], [1, 2], [0, 1], [2, 0]):
        for number in group:
            go_on(alone[number])
        go_on_together([stacked[number] for number in group], recorder)
    for one, other in zip(alone, stacked, strict=True):
        assert_equal(one, other, 1e-9)


def test_no_more_stacks_are_kept_than_families_of_a_search() -> None:
    for size in range(MOST_KEPT + 2):
        runs = [make("lenet", f"seed={s}", f"data.batch_size={10 + size}") for s in (1, 2)]
        go_on_together(runs, recorder)
    assert len(together._kept._stacks) == MOST_KEPT
    together.forget()
    assert not any(one._recording.operations for one in made)


def test_an_epoch_that_fails_gives_back_what_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    trainers = [make("lenet", f"seed={seed}", "epochs=9") for seed in range(2)]
    for _ in range(3):
        go_on_together(trainers, recorder)
    assert any(one._recording.operations for one in made)

    def full(*_: object) -> None:
        raise RuntimeError("out of memory")

    monkeypatch.setattr(Sums, "read", full)
    with pytest.raises(RuntimeError, match="out of memory"):
        together.train_together(trainers, recorder)
    assert not any(one._recording.operations for one in made)
    assert len(together._kept._stacks) == 0
