"""Every YAML below conf/ composes, and what it names can be made."""

from collections.abc import Iterator
from pathlib import Path
from pydoc import locate
from typing import Any

import pytest
import torch
from hydra import compose, initialize_config_dir
from hydra.core.hydra_config import HydraConfig
from hydra.utils import execution_whitelist
from omegaconf import DictConfig, OmegaConf

from cnnsweep.config import CONF_DIR
from cnnsweep.config.allowed_targets import allowed_targets
from cnnsweep.config.instantiate import build, call
from cnnsweep.training.schedule import Schedule

CHOICES = [path.relative_to(CONF_DIR) for path in sorted(CONF_DIR.rglob("*.yaml"))]
OF_A_RUN = ("model", "optim", "scheduler", "loss", "augment", "data", "logger", "experiment")


def options(group: str) -> list[str]:
    return sorted(path.stem for path in (CONF_DIR / group).glob("*.yaml"))


@pytest.fixture(autouse=True)
def composing() -> Iterator[None]:
    with initialize_config_dir(str(CONF_DIR)), execution_whitelist(allowed_targets()):
        yield
    HydraConfig.instance().cfg = None


def composed(*overrides: str) -> DictConfig:
    return compose("config", list(overrides))


@pytest.mark.parametrize("choice", CHOICES, ids=str)
def test_every_file_says_when_to_choose_it(choice: Path) -> None:
    lines = (CONF_DIR / choice).read_text().splitlines()
    comments = [line for line in lines[:4] if line.startswith("# ") and "@package" not in line]
    assert comments, f"{choice} begins without a comment"


def test_the_groups_are_all_there() -> None:
    groups = {path.parts[0] for path in CHOICES if len(path.parts) > 1}
    assert groups >= {*OF_A_RUN, "search", "hydra"}
    assert options("model") == [
        "densenet",
        "inception",
        "lenet",
        "resnet",
        "simple",
        "torchvision",
    ]
    assert len(options("optim")) == 7
    assert len(options("scheduler")) == 13
    assert len(options("loss")) == 5
    assert len(options("experiment")) == 9


@pytest.mark.parametrize("group", OF_A_RUN)
def test_every_option_composes(group: str) -> None:
    for option in options(group):
        config = composed(f"{group}={option}")
        OmegaConf.to_container(config, resolve=True, throw_on_missing=True)


def parameters() -> list[torch.nn.Parameter]:
    return [torch.nn.Parameter(torch.ones(2))]


@pytest.mark.parametrize("option", options("optim"))
def test_every_optimizer_moves_weights(option: str) -> None:
    node = composed(f"optim={option}").optim
    weights = parameters()
    optimizer = call("optim", str(node._target_), build("optim", node, partial=True), weights)
    torch.autograd.backward((weights[0] ** 2).sum())
    optimizer.step()
    assert (weights[0] < 1).all()


STEPPED_BY_BATCHES = ("cyclic", "one_cycle")
EPOCHS, BATCHES, LR = 7, 4, 0.01  # the last of them starts to move after the sixth epoch


def sgd() -> torch.optim.SGD:
    return torch.optim.SGD(parameters(), lr=LR, momentum=0.9)


def rate(optimizer: torch.optim.Optimizer) -> float:
    return float(optimizer.param_groups[0]["lr"])


def torchs_own(option: str, node: dict[str, Any], optimizer: torch.optim.Optimizer) -> Any:
    """The scheduler that a YAML names, made without us; None for a constant rate."""
    given = {key: value for key, value in node.items() if key not in ("_target_", "interval")}
    if option == "none":
        return None
    if option == "cyclic":
        assert given["base_lr"] is None
        return torch.optim.lr_scheduler.CyclicLR(optimizer, **given | {"base_lr": LR / 10})
    if option == "one_cycle":
        given["steps_per_epoch"] = BATCHES
    if option == "warmup_cosine":
        parts = [dict(part) for part in given.pop("schedules")]
        given["schedulers"] = [
            locate(part.pop("_target_"))(optimizer, **part)  # type: ignore[operator]
            for part in parts
            if part.pop("_partial_")
        ]
        return torch.optim.lr_scheduler.SequentialLR(optimizer, **given)
    return locate(node["_target_"])(optimizer, **given)  # type: ignore[operator]


def expected_rates(option: str, node: dict[str, Any]) -> list[float]:
    """The rate before the first batch and after each one; the loss never changes."""
    optimizer = sgd()
    scheduler = torchs_own(option, node, optimizer)
    rates = [rate(optimizer)]
    for batch in range(EPOCHS * BATCHES):
        optimizer.step()
        ends_epoch = batch % BATCHES == BATCHES - 1
        if scheduler is not None and (option in STEPPED_BY_BATCHES or ends_epoch):
            scheduler.step(*([1.0] if option == "reduce_on_plateau" else []))
        rates.append(rate(optimizer))
    return rates


@pytest.mark.parametrize("option", options("scheduler"))
def test_every_scheduler_runs_for_the_epochs_of_a_run(option: str) -> None:
    config = composed(f"scheduler={option}", f"epochs={EPOCHS}", f"optim.lr={LR}")
    optimizer = sgd()
    make = build(
        "scheduler", config.scheduler, without=("interval",), partial=True, steps_per_epoch=BATCHES
    )
    schedule = Schedule(
        None if make is None else make(optimizer), config.scheduler.get("interval", "epoch")
    )
    assert schedule.never_moves(1, 1) == (option not in ("none",))
    assert not schedule.never_moves(EPOCHS, BATCHES)
    rates = [rate(optimizer)]
    for _ in range(EPOCHS):
        for _ in range(BATCHES):
            optimizer.step()
            schedule.batch_ended()
            rates.append(rate(optimizer))
        schedule.epoch_ended(1.0)
        rates[-1] = rate(optimizer)
    node: Any = OmegaConf.to_container(config.scheduler, resolve=True)
    assert rates == expected_rates(option, node)
    assert (len(set(rates)) == 1) == (option == "none")
    assert min(rates) >= 0


@pytest.mark.parametrize("option", options("loss"))
def test_every_loss_has_a_gradient(option: str) -> None:
    logits = torch.zeros(4, 10, requires_grad=True)
    loss = build("loss", composed(f"loss={option}").loss)(logits, torch.arange(4))
    loss.backward()
    assert logits.grad is not None
    assert logits.grad.abs().sum() > 0
