"""Trainers made from real configs on small images, whose steps a recorder captures on request."""

from typing import cast

import hydra
import torch
from hydra.utils import execution_whitelist
from torch import Tensor

from cnnsweep.config import CONF_DIR
from cnnsweep.config.allowed_targets import allowed_targets
from cnnsweep.data.batches import Batches
from cnnsweep.data.dataset import Images
from cnnsweep.session import build
from cnnsweep.training.graph.epoch import GraphedEpoch
from cnnsweep.training.graph.static_step import StaticStep
from cnnsweep.training.trainer import Trainer
from tests.training.graph.recorder import Recorder

CPU = torch.device("cpu")
OPTIMIZERS = sorted(path.stem for path in (CONF_DIR / "optim").glob("*.yaml"))
LIGHT = ("augment=light", "augment.crop=2", "augment.flip=0.5")  # every change that there is
TINY = {
    "simple": ("model.channels=[3,4]", "model.hidden=[8]", "model.norm=batch"),
    "lenet": ("model.hidden=[8]",),
    "inception": (
        "model.channels=[3]",
        "model.branch_1x1=2",
        "model.branch_5x5=[2,2]",
        "model.branch_3x3=[2,2]",
        "model.branch_pool=2",
    ),
    "resnet": ("model.channels=[3,4]", "model.norm=batch"),
    "densenet": ("model.stem_channels=4", "model.growth_rate=3", "model.blocks=[1,1]"),
}


class Sizes:
    """What a network must know of the images."""

    in_channels, image_size, num_classes = 1, (16, 16), 3


class InDouble:
    """Batches in float64."""

    def __init__(self, batches: Batches) -> None:
        self._batches = batches
        self.images, self.batch_size = batches.images, batches.batch_size
        self.draw_order, self.augment = batches.draw_order, batches.augment

    def __len__(self) -> int:
        return len(self._batches)

    def __iter__(self) -> object:
        return ((x.double(), y) for x, y in self._batches)

    def at(self, index: Tensor) -> tuple[Tensor, Tensor]:
        x, y = self._batches.at(index)
        return x.double(), y


def images(count: int = 37) -> Images:
    drawn = torch.Generator().manual_seed(5)
    pixels = torch.randint(0, 256, (count, 1, 16, 16), dtype=torch.uint8, generator=drawn)
    return Images(pixels, torch.randint(0, 3, (count,), generator=drawn))


def trainer(
    *words: str,
    model: str = "simple",
    precision: str = "float32",
    count: int = 37,
    device: torch.device = CPU,
) -> Trainer:
    """By a loop of eager steps; batches of 8, and the rest of 37 images."""
    words = (f"model={model}", *TINY[model], "epochs=3", "data.batch_size=8", *words)
    if precision == "float64":
        words = (*words, "model.layout=contiguous")
    with hydra.initialize_config_dir(str(CONF_DIR)), execution_whitelist(allowed_targets()):
        config = hydra.compose("config", list(words))
        network = build.make_model(config, Sizes(), starts_anew=True)
        train = build.make_batches(config, images(count), device, is_training=True)
        loss = build.make_loss(config, images(count), ("a", "b", "c"))
        val = build.make_batches(config, images(11), device, is_training=False)
        if precision == "float64":
            network = network.double()
            train, val = (cast(Batches, InDouble(batches)) for batches in (train, val))
        made_for = "bfloat16" if precision == "bfloat16" else "float32"
        return build.make_trainer(config, network, loss, train, val, device, made_for)


def graphed(made: Trainer) -> Trainer:
    """The same trainer, its steps captured by a recorder."""
    one = StaticStep(
        model=made.model,
        split=cast(Batches, made.train),
        loss=made.loss,
        cast=made.cast,
        step=made.step,
        device=CPU,
    )
    made.graphed = GraphedEpoch(one, Recorder)
    return made


def train(made: Trainer, epochs: int) -> Trainer:
    for _ in range(epochs):
        made.record(made.train_epoch(None))
    return made
