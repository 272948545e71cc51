"""One trial of the search with cnnsweep's loop, for Ray Tune: the scheduling apart from the loop.

The parts are those of a run of cnnsweep; no run folder, no checkpoints.
"""

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from events import Events
from hydra import compose, initialize_config_dir
from omegaconf import DictConfig

from cnnsweep.config import CONF_DIR
from cnnsweep.data.split import train_and_val
from cnnsweep.session.build import (
    make_batches,
    make_dataset,
    make_loss,
    make_model,
    make_trainer,
)
from cnnsweep.training.device import keep_freed_memory, resolve_device, use_threads


def train(
    setting: dict[str, Any],
    *,
    lr: float,
    momentum: float,
    batch_size: int,
    trial: str,
    report: Callable[[float], None],
) -> float:
    """Train cnnsweep's ResNet; the best validation accuracy. ``report`` is told each epoch's."""
    use_threads(setting["threads"])
    keep_freed_memory()
    events = Events(setting["events"], trial)
    config = _composed(
        setting["data"], setting["images"], setting["epochs"], setting["seed"]
    ).copy()
    config.optim.lr, config.optim.momentum = lr, momentum
    config.data.batch_size = batch_size
    try:
        trainer = _trainer(config)
        best = 0.0
        while not trainer.is_finished:
            row = trainer.train_epoch(None)
            trainer.record(row)
            accuracy = float(row["val_accuracy"] or 0)
            best = max(best, accuracy)
            events.epoch(accuracy)
            report(accuracy)
        return best
    finally:
        events.end()


@cache
def _composed(data: str, images: int, epochs: int, seed: int) -> DictConfig:
    words = [
        *("model=resnet", "data=mnist", f"data.root={Path(data)}", "precision=float32"),
        *(f"data.train_limit={images}", "data.val_fraction=0.1"),
        *(f"epochs={epochs}", f"seed={seed}", "device=cpu"),
    ]
    with initialize_config_dir(str(CONF_DIR), version_base=None):
        return compose("config", words)


def _trainer(config: DictConfig) -> Any:
    device = resolve_device(config.device)
    dataset = make_dataset(config)
    train_images, val_images = train_and_val(
        dataset, config.data.train_limit, config.data.val_fraction, config.seed
    )
    assert val_images is not None
    return make_trainer(
        config,
        make_model(config, dataset, starts_anew=True),
        make_loss(config, train_images, dataset.classes),
        make_batches(config, train_images, device, is_training=True),
        make_batches(config, val_images, device, is_training=False),
        device,
        "float32",
    )
