"""Runs to be stacked: trainers of small networks and few images, in float64 or float32."""

import random
from collections.abc import Sequence
from copy import deepcopy
from dataclasses import replace
from functools import cache
from typing import Any

import hydra
import pytest
import torch
import yaml
from hydra.utils import execution_whitelist
from omegaconf import DictConfig, OmegaConf
from torch import Tensor

from cnnsweep import epoch_reporter
from cnnsweep.config import CONF_DIR
from cnnsweep.config.allowed_targets import allowed_targets
from cnnsweep.data.batches import Batches
from cnnsweep.data.dataset import Dataset, Images
from cnnsweep.data.split import train_and_val
from cnnsweep.session import build
from cnnsweep.stack.epoch import MakeGraph
from cnnsweep.stack.together import train_together
from cnnsweep.training.early_stopping import Row
from cnnsweep.training.trainer import Diverged, Passes, Trainer

CPU = torch.device("cpu")
SMALL = ("data.batch_size=16", "data.eval_batch_size=7", "data.train_limit=50", "epochs=3")
FEW = {
    "simple": ("model.channels=[3,4]", "model.hidden=8", "model.norm=batch"),
    "lenet": ("model.channels=[3,4]", "model.hidden=[8,6]", "model.norm=batch"),
    "inception": ("model.channels=[4]", "model.norm=batch"),
    "resnet": ("model.channels=[3,4]", "model.norm=batch"),
    "densenet": ("model.blocks=[2,1]", "model.growth_rate=4", "model.stem_channels=5"),
}  # fmt: skip
NETWORKS = tuple(FEW)


class DoubleBatches(Batches):
    """The same numbers in float64."""

    def _prepare(self, pixels: Tensor) -> Tensor:
        return super()._prepare(pixels).double()


@cache
def noise() -> Dataset:
    """Ten patterns under noise: images without the even background of which digits have much.

    Over even regions pooling and ReLU choose by the last bit, and so differ between any two ways of
    summing in float32.
    """
    with execution_whitelist(allowed_targets()):
        digits = build.make_dataset(composed([]))
    drawn = torch.Generator().manual_seed(0)
    shape = digits.train.stored.shape[1:]
    labels = torch.randint(10, (900,), generator=drawn)
    patterns = torch.randint(128, (10, *shape), generator=drawn)
    images = patterns[labels] + torch.randint(128, (900, *shape), generator=drawn)
    return replace(digits, train=Images(images.to(torch.uint8), labels))


@cache
def of_groups(*choices: str) -> DictConfig:
    with hydra.initialize_config_dir(str(CONF_DIR)):
        return hydra.compose("config", list(choices))


def composed(words: Sequence[str]) -> DictConfig:
    """What Hydra composes of these words; each option of a group is composed only once."""
    config = deepcopy(of_groups())
    for word in words:
        key, value = word.split("=", 1)
        if (CONF_DIR / key).is_dir():
            config[key] = deepcopy(of_groups(word)[key])
    for word in words:
        key, value = word.split("=", 1)
        if not (CONF_DIR / key).is_dir():
            OmegaConf.update(config, key, yaml.safe_load(value))
    return config


def make(model: str, *typed: str, double: bool = True, dataset: Dataset | None = None) -> Trainer:
    """The trainer of a small run with these words typed."""
    config = composed([f"model={model}", "device=cpu", *SMALL, *FEW[model], *typed])
    with execution_whitelist(allowed_targets()):
        data = dataset or build.make_dataset(config)
        limit, share = config.data.train_limit, config.data.val_fraction
        train_images, val_images = train_and_val(data, limit, share, config.seed)
        loss = build.make_loss(config, train_images, data.classes)
        network = build.make_model(config, data, starts_anew=True)
        train = build.make_batches(config, train_images, CPU, is_training=True)
        val = None
        if val_images is not None:
            val = build.make_batches(config, val_images, CPU, is_training=False)
        if double:
            network.double()
            for split in (train, val):
                if split is not None:
                    split.__class__ = DoubleBatches
        return build.make_trainer(config, network, loss, train, val, CPU, "float32")


def own_settings(drawn: random.Random) -> list[str]:
    """What one run may have of its own, drawn: optimizer, schedule, penalty, clipping, seed."""
    nesterov = drawn.random() < 0.4
    momentum = drawn.choice([0.5, 0.9]) if nesterov else drawn.choice([0.0, 0.5, 0.9])
    dampening = 0.0 if nesterov else drawn.choice([0.0, 0.3])
    scheduler = drawn.choice(["none", "cosine", "step", "one_cycle", "cyclic", "warmup_cosine"])
    return [
        f"seed={drawn.randrange(1000)}",
        f"optim.lr={drawn.choice([0.003, 0.01, 0.03])}",
        f"optim.momentum={momentum}",
        f"optim.nesterov={str(nesterov).lower()}",
        f"optim.dampening={dampening}",
        f"optim.weight_decay={drawn.choice([0.0, 0.001, 0.05])}",
        f"optim.fused={drawn.choice(['true', 'false'])}",
        f"scheduler={scheduler if momentum > 0 or scheduler != 'one_cycle' else 'none'}",
        f"grad_clip={drawn.choice(['null', 'null', '0.5', '2'])}",
        f"l1={drawn.choice([0.0, 0.0, 0.001])}",
    ]


def go_on(trainer: Trainer) -> Row | None:
    """The next epoch of a run, as a session trains it; None where it diverged."""
    try:
        row = trainer.train_epoch(None)
    except Diverged:
        return None
    trainer.record(row)
    return row


def go_on_together(
    trainers: Sequence[Trainer], make_graph: MakeGraph | None = None
) -> list[Row | None]:
    """The next epoch of each run, trained as one."""
    rates = [trainer.step.optimizer.param_groups[0]["lr"] for trainer in trainers]
    trained = train_together(trainers, make_graph)
    passes = {id(t): own for t, own in zip(trainers, trained, strict=True)}

    def given(trainer: Any) -> Passes:
        return passes[id(trainer)]

    epoch_reporter.together = given
    try:
        rows = [go_on(trainer) for trainer in trainers]
    finally:
        epoch_reporter.together = None
    # A session reads the rate before it asks for the epoch.
    return [
        None if row is None else {**row, "learning_rate": rate}
        for row, rate in zip(rows, rates, strict=True)
    ]


def tensors(trainer: Trainer) -> dict[str, Tensor]:
    """Weights, buffers and momentum, by name."""
    found = {f"model.{name}": tensor for name, tensor in trainer.model.state_dict().items()}
    for number, state in trainer.step.optimizer.state_dict()["state"].items():
        found |= {f"optimizer.{number}.{name}": tensor for name, tensor in state.items()}
    return {name: tensor.clone() for name, tensor in found.items()}


def assert_equal(one: Trainer, other: Trainer, most: float, share: float = 0.0) -> None:
    """The same state, numbers apart by ``most`` and ``share`` of them at most; NaN equals NaN."""
    here, there = tensors(one), tensors(other)
    assert here.keys() == there.keys()
    for name, tensor in here.items():
        assert tensor.dtype == there[name].dtype, name
        torch.testing.assert_close(tensor, there[name], atol=most, rtol=share, equal_nan=True)
    assert one.step.schedule.state_dict() == other.step.schedule.state_dict()
    groups = [t.step.optimizer.state_dict()["param_groups"] for t in (one, other)]
    assert groups[0] == groups[1]


def assert_rows_equal(one: Row | None, other: Row | None) -> None:
    """Rows of metrics that differ in what a clock measured only."""
    assert (one is None) == (other is None)
    if one is not None and other is not None:
        for name, value in one.items():
            if name not in ("train_seconds", "images_per_second"):
                assert other[name] == (None if value is None else _near(value)), name


def _near(value: Any) -> Any:
    return pytest.approx(value, abs=1e-6, nan_ok=True)
