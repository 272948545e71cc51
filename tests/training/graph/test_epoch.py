"""A run by graphs is the run by eager steps, for all that a config may ask for."""

import gc
import logging
import sys
import weakref
from typing import Any

import pytest
from torch import Tensor

from cnnsweep.config import CONF_DIR
from cnnsweep.training.trainer import Trainer
from tests.training.graph.trainers import LIGHT, OPTIMIZERS, TINY, graphed, train, trainer

SCHEDULERS = sorted(path.stem for path in (CONF_DIR / "scheduler").glob("*.yaml"))
# Augmentation, dropout, clipping and a penalty, all at once: everything that draws or has a number.
ALL = ("model.dropout=0.3", "grad_clip=0.5", "l1=0.001")


@pytest.fixture
def capturable_on_a_cpu(monkeypatch: pytest.MonkeyPatch) -> None:
    """torch lets `capturable=True` compute on GPUs only, though its arithmetic is any device's."""
    name = "_get_capturable_supported_devices"
    for module in list(sys.modules.values()):
        if module.__name__.startswith("torch.optim.") and hasattr(module, name):
            monkeypatch.setattr(module, name, lambda *_, **__: ["cpu"])


def state(made: Trainer) -> dict[str, Any]:
    return made.state_dict()


def differences(one: Any, other: Any, place: str = "") -> dict[str, float]:
    """How far apart two states are, by the places of their numbers; inf where not comparable."""
    if isinstance(one, dict):
        assert one.keys() == other.keys(), place
        pairs = [(key, one[key], other[key]) for key in one]
    elif isinstance(one, list | tuple):
        assert len(one) == len(other), place
        pairs = list(zip(range(len(one)), one, other, strict=True))
    else:
        assert type(one) is type(other), (place, one, other)
        if isinstance(one, Tensor):
            assert (one.dtype, one.device) == (other.dtype, other.device), place
            return {place: float((one.double() - other.double()).abs().max())}
        if isinstance(one, float):
            return {place: 0.0 if one == other else abs(one - other)}
        assert one == other, (place, one, other)
        return {}
    return {k: v for key, a, b in pairs for k, v in differences(a, b, f"{place}.{key}").items()}


def assert_equal(one: Trainer, other: Trainer, within: float) -> None:
    apart = differences(state(one), state(other))
    timed = ("train_seconds", "images_per_second")
    wrong = {k: v for k, v in apart.items() if not v <= within and not k.endswith(timed)}
    assert wrong == {}


def assert_captured(made: Trainer) -> None:
    assert made.graphed is not None
    assert made.graphed.why_eager is None


@pytest.mark.parametrize("precision", ["float64", "float32", "bfloat16"])
@pytest.mark.parametrize("model", TINY)
def test_every_network_ends_with_the_weights_of_eager_steps(model: str, precision: str) -> None:
    words = (*LIGHT, *ALL, "optim.lr=0.0625")
    eager = train(trainer(*words, model=model, precision=precision), 3)
    captured = train(graphed(trainer(*words, model=model, precision=precision)), 3)
    assert_captured(captured)
    assert_equal(eager, captured, within=0)


@pytest.mark.usefixtures("capturable_on_a_cpu")
@pytest.mark.parametrize("scheduler", ["one_cycle", "cosine"])
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_every_optimizer_ends_with_the_weights_of_eager_steps(
    optimizer: str, scheduler: str
) -> None:
    words = [f"optim={optimizer}", f"scheduler={scheduler}", "optim.weight_decay=0.01"]
    if scheduler == "one_cycle":
        words.append("+scheduler.cycle_momentum=false")
    eager = train(trainer(*words, precision="float64"), 3)
    captured = train(graphed(trainer(*words, precision="float64")), 3)
    assert_captured(captured)
    assert_equal(eager, captured, within=1e-6)  # learning rates are float32 on the device


@pytest.mark.parametrize("scheduler", SCHEDULERS)
def test_every_schedule_ends_with_the_weights_of_eager_steps(scheduler: str) -> None:
    words = (f"scheduler={scheduler}",)
    eager = train(trainer(*words, precision="float64"), 3)
    captured = train(graphed(trainer(*words, precision="float64")), 3)
    assert captured.graphed is not None
    assert (captured.graphed.why_eager is not None) == (scheduler == "one_cycle")
    assert_equal(eager, captured, within=1e-7)


def test_momentum_that_a_schedule_moves_at_each_batch_ends_the_capturing_with_one_line(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level(logging.INFO):
        made = train(graphed(trainer("scheduler=one_cycle")), 2)
    lines = [line for line in caplog.messages if "captured" in line]
    assert len(lines) == 1
    assert "the schedule changes momentum at each batch" in lines[0]
    assert made.graphed is not None
    assert made.graphed.why_eager is not None


def test_momentum_that_a_schedule_moves_at_each_epoch_is_captured_anew() -> None:
    words = ("scheduler=one_cycle", "scheduler.interval=epoch")
    eager = train(trainer(*words), 3)
    captured = train(graphed(trainer(*words)), 3)
    assert_captured(captured)
    assert_equal(eager, captured, within=1e-6)


@pytest.mark.parametrize(("count", "size"), [(32, 8), (8, 8), (9, 8), (37, 37), (37, 36), (5, 1)])
def test_any_last_batch_and_any_number_of_batches(count: int, size: int) -> None:
    words = (f"data.batch_size={size}", "model.norm=none", "optim.lr=0.0625")
    eager = train(trainer(*words, count=count), 5)
    captured = train(graphed(trainer(*words, count=count)), 5)
    assert_captured(captured)
    assert_equal(eager, captured, within=0)


@pytest.mark.usefixtures("capturable_on_a_cpu")
@pytest.mark.parametrize("optimizer", ["sgd", "adam", "rmsprop"])
@pytest.mark.parametrize("plan", [(True, False), (False, True), (True, True)])
def test_a_run_goes_on_from_its_checkpoint_with_graphs_or_without(
    optimizer: str, plan: tuple[bool, bool]
) -> None:
    words = (f"optim={optimizer}", "scheduler=cosine", *LIGHT)
    eager = train(trainer(*words), 4)
    halves = [graphed(trainer(*words)) if is_by_graph else trainer(*words) for is_by_graph in plan]
    train(halves[0], 2)
    halves[1].load_state_dict(halves[0].state_dict())
    train(halves[1], 2)
    assert_equal(eager, halves[1], within=1e-5)


def test_what_a_run_shows_while_it_trains_is_what_it_shows_without() -> None:
    def shown(made: Trainer) -> list[tuple[float, ...]]:
        seen: list[tuple[float, ...]] = []
        for _ in range(2):
            row = made.train_epoch(
                lambda done, loss, right: seen.append((done, float(loss), int(right)))
            )
            made.record(row)
        return seen

    words = ("optim.lr=0.0625",)
    assert shown(graphed(trainer(*words))) == shown(trainer(*words))


def test_an_optimizer_that_cannot_be_captured_trains_eagerly_with_one_line(
    caplog: pytest.LogCaptureFixture,
) -> None:
    without = ("~optim.momentum", "~optim.dampening", "~optim.nesterov", "~optim.fused")
    words = ("optim._target_=torch.optim.Adafactor", *without)
    captured = train(graphed(trainer(*words)), 2)
    assert_equal(train(trainer(*words), 2), captured, within=0)
    (line,) = [line for line in caplog.messages if "captured" in line]
    assert "Adafactor reads its learning rate in Python" in line


def test_the_graphs_of_a_run_go_with_it() -> None:
    """At once, and not with some later collection of garbage: other trials want the memory."""
    made = train(graphed(trainer()), 2)
    held = weakref.ref(made.graphed)
    gc.disable()
    try:
        del made
        assert held() is None
    finally:
        gc.enable()
