"""Steps that are captured are the eager ones, each done once, and nothing in them is frozen."""

import logging
import random
import weakref
from collections.abc import Callable
from functools import partial

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from cnnsweep.training.graph.steps import CapturedSteps
from tests.training.graph.recorder import Recorder

CPU, CUDA = torch.device("cpu"), torch.device("cuda")


class Walk:
    """A weight that is multiplied and drops out; ``calls`` counts how often its Python ran."""

    def __init__(self) -> None:
        self.weight = torch.ones(6)
        self.factor = torch.tensor(1.5)
        self.calls = 0

    def __call__(self) -> None:
        self.calls += 1
        view = self.weight.view(2, 3)
        kept = functional.dropout(view * self.factor, 0.5)
        view.add_(kept.sum(dim=0))
        view[0].mul_(0.5)


def after(steps: int, run: Callable[[], None]) -> None:
    torch.manual_seed(0)
    for _ in range(steps):
        run()


@pytest.mark.parametrize("warm_ups", [1, 3])
def test_a_captured_step_does_what_the_eager_one_does(warm_ups: int) -> None:
    eager, captured = Walk(), Walk()
    after(9, eager)
    steps = CapturedSteps(captured, CPU, warm_ups=warm_ups, make_graph=Recorder)
    after(9, steps.run)
    assert torch.equal(eager.weight, captured.weight)
    assert captured.calls == warm_ups + 1
    captured.factor.fill_(-1.0)
    eager.factor.fill_(-1.0)
    after(2, eager)
    after(2, steps.run)
    assert torch.equal(eager.weight, captured.weight)


def test_a_step_may_draw_from_generators_of_its_own() -> None:
    def trained(by_graph: bool) -> torch.Tensor:
        own = torch.Generator().manual_seed(1)
        weight = torch.zeros(3)

        def step() -> None:
            weight.add_(torch.rand(3, generator=own))
            weight.mul_(torch.empty(3).uniform_(0.5, 1.0, generator=own))

        steps = CapturedSteps(step, CPU, warm_ups=1, make_graph=Recorder)
        for _ in range(6):
            steps.run() if by_graph else step()
        own.manual_seed(2)
        steps.run() if by_graph else step()
        return weight

    assert torch.equal(trained(by_graph=True), trained(by_graph=False))


def test_the_recorder_catches_a_number_that_python_changes() -> None:
    def trained(by_graph: bool) -> float:
        weight = nn.Parameter(torch.tensor([1.0]))
        optimizer = torch.optim.SGD([weight], lr=0.5)

        def step() -> None:
            (weight**2).sum().backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)

        steps = CapturedSteps(step, CPU, warm_ups=1, make_graph=Recorder)
        for rate in (0.1, 0.2, 0.3, 0.4):
            optimizer.param_groups[0]["lr"] = rate
            steps.run() if by_graph else step()
        return weight.item()

    assert trained(by_graph=False) == pytest.approx(0.8 * 0.6 * 0.4 * 0.2)
    assert trained(by_graph=True) == pytest.approx(0.8 * 0.6 * 0.6 * 0.6)


def reads_a_value(weight: torch.Tensor) -> None:
    weight.add_(1 if weight.sum().item() > -1 else 2)


def needs_the_cpu(weight: torch.Tensor) -> None:
    weight.add_(torch.nonzero(weight).shape[0])


@pytest.mark.parametrize("change", [reads_a_value, needs_the_cpu])
def test_a_step_that_cannot_be_captured_stays_eager_with_one_line(
    change: Callable[[torch.Tensor], None], caplog: pytest.LogCaptureFixture
) -> None:
    eager, weight = torch.ones(3), torch.ones(3)
    steps = CapturedSteps(lambda: change(weight), CPU, warm_ups=2, make_graph=Recorder)
    with caplog.at_level(logging.INFO):
        for _ in range(6):
            steps.run()
            change(eager)
            assert torch.equal(weight, eager)
    (line,) = caplog.messages
    assert "not captured" in line
    assert "not permitted when stream is capturing" in line
    assert steps.why_eager is not None


def draws_in_python(weight: torch.Tensor) -> None:
    weight.mul_(random.random())


def draws_in_numpy(weight: torch.Tensor) -> None:
    weight.mul_(float(np.random.rand()))


def draws_on_the_cpu(weight: torch.Tensor) -> None:
    weight.mul_(torch.rand(3))


@pytest.mark.parametrize("first", [0, 2], ids=["from the first step", "from the capture"])
@pytest.mark.parametrize(
    ("draw", "device", "named"),
    [
        (draws_in_python, CPU, "Python's random"),
        (draws_in_numpy, CPU, "NumPy"),
        (draws_on_the_cpu, CUDA, "torch's generator of the CPU"),
    ],
)
def test_what_draws_on_the_cpu_is_never_frozen(
    draw: Callable[[torch.Tensor], None],
    device: torch.device,
    named: str,
    first: int,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def trained(by_graph: bool) -> torch.Tensor:
        random.seed(0)
        np.random.seed(0)
        torch.manual_seed(0)
        weight, done = torch.ones(3), torch.zeros(())

        def step() -> None:
            if done >= first:
                draw(weight)
            done.add_(1)

        steps = CapturedSteps(step, device, warm_ups=2, make_graph=partial(Recorder, beside=True))
        for _ in range(6):
            steps.run() if by_graph else step()
        return weight

    assert torch.equal(trained(by_graph=True), trained(by_graph=False))
    (line,) = caplog.messages
    assert f"draw on the CPU, from {named}" in line


def test_what_is_fixed_is_captured_anew_once_it_has_changed() -> None:
    eager, captured = Walk(), Walk()
    numbers = {"momentum": 1}
    steps = CapturedSteps(
        captured, CPU, warm_ups=1, make_graph=Recorder, fixed=lambda: dict(numbers)
    )
    calls = []
    for epoch in range(4):
        numbers["momentum"] = epoch // 2
        steps.settle()
        after(5, steps.run)
        after(5, eager)
        assert torch.equal(eager.weight, captured.weight)
        calls.append(captured.calls)
    assert calls == [2, 2, 4, 4]


def test_an_error_of_the_step_itself_is_raised() -> None:
    def step() -> None:
        raise ZeroDivisionError("of the model")

    with pytest.raises(ZeroDivisionError, match="of the model"):
        CapturedSteps(step, CPU, warm_ups=1, make_graph=Recorder).run()


def test_what_was_captured_is_given_back_at_once_and_steps_can_go_on() -> None:
    made: list[weakref.ref[Recorder]] = []

    def make() -> Recorder:
        recorder = Recorder()
        made.append(weakref.ref(recorder))
        return recorder

    eager, captured = Walk(), Walk()
    steps = CapturedSteps(captured, CPU, warm_ups=1, make_graph=make)
    for _ in range(2):
        after(4, steps.run)
        after(4, eager)
        assert [recorder() is None for recorder in made[-2:]] == [True, False]
        steps.release()
        assert made[-1]() is None
    assert torch.equal(eager.weight, captured.weight)
