"""Every YAML below conf/ composes, and what it names can be made."""

from collections.abc import Iterator
from pathlib import Path

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
    assert len(options("experiment")) == 7


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


@pytest.mark.parametrize("option", options("scheduler"))
def test_every_scheduler_runs_for_the_epochs_of_a_run(option: str) -> None:
    config = composed(f"scheduler={option}", "epochs=3")
    optimizer = torch.optim.SGD(parameters(), lr=0.01, momentum=0.9)
    make = build(
        "scheduler", config.scheduler, without=("interval",), partial=True, steps_per_epoch=4
    )
    schedule = Schedule(
        None if make is None else make(optimizer), config.scheduler.get("interval", "epoch")
    )
    for _ in range(3):
        for _ in range(4):
            optimizer.step()
            schedule.batch_ended()
        schedule.epoch_ended(1.0)
    assert optimizer.param_groups[0]["lr"] >= 0


@pytest.mark.parametrize("option", options("loss"))
def test_every_loss_has_a_gradient(option: str) -> None:
    logits = torch.zeros(4, 10, requires_grad=True)
    loss = build("loss", composed(f"loss={option}").loss)(logits, torch.arange(4))
    loss.backward()
    assert logits.grad is not None
    assert logits.grad.abs().sum() > 0
