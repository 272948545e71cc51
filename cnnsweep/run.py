"""One run: a config becomes a trained, evaluated model in a run folder."""

import logging
from typing import Any

import torch
from omegaconf import DictConfig
from torch import nn

from cnnsweep import checkpoint_file, epoch_reporter
from cnnsweep.data.dataset import Dataset
from cnnsweep.data.split import train_and_val
from cnnsweep.errors import printable
from cnnsweep.folders.result import Outcome
from cnnsweep.folders.run_folder import RunFolder
from cnnsweep.models.inspect import check_fits, layer_table
from cnnsweep.process import begin_collection
from cnnsweep.session.build import make_batches, make_dataset, make_loss, make_model, make_trainer
from cnnsweep.session.launches import take_up
from cnnsweep.session.progress import RunProgress, make_progress
from cnnsweep.session.same_data import settle_data, warn_of_seen_images
from cnnsweep.session.session import Session
from cnnsweep.session.settle_threads import settle_threads, use_most_threads
from cnnsweep.training.busy_machine import minding_other_programs
from cnnsweep.training.device import (
    keep_freed_memory,
    keep_to_share,
    name_of_gpu,
    resolve_device,
    resolve_precision,
    use_deterministic_algorithms,
)
from cnnsweep.training.trainer import Trainer

log = logging.getLogger(__name__)


def run(config: DictConfig, folder: RunFolder, outcome: Outcome) -> None:
    """Train and evaluate what ``config`` says; resumes from the folder's last.pt if it has one.

    Metrics, checkpoints, predictions and pictures are written by the session; result.json is left
    to the caller, its content in ``outcome``.

    Raises:
        UserError: the config cannot be trained; names the key.
    """
    device = resolve_device(config.device)
    keep_to_share(device)
    outcome.device = str(device)
    outcome.precision = resolve_precision(config.precision, device)
    outcome.hardware["gpu"] = name_of_gpu(device)
    progress = make_progress() if epoch_reporter.current is None else RunProgress()
    state = _state(folder, device, outcome, progress)
    use_most_threads(config, state)
    keep_freed_memory()
    use_deterministic_algorithms(config.deterministic)
    dataset = _data(config, folder, outcome, state, progress)
    train_images, val_images = train_and_val(
        dataset, config.data.train_limit, config.data.val_fraction, config.seed
    )
    loss = make_loss(config, train_images, dataset.classes)
    train = make_batches(config, train_images, device, is_training=True)
    val = None
    if val_images is not None:
        val = make_batches(config, val_images, device, is_training=False)
    if state is None:
        warn_of_seen_images(config, dataset, outcome.data or {}, val_images, progress.note)
    model = _model(config, dataset, train.images, outcome, state, progress)
    trainer = make_trainer(config, model, loss, train, val, device, outcome.precision)
    _say_of_training(config, trainer, device, progress)
    if state is not None:
        trainer.load_state_dict(state["training"])
    begin_collection()
    threads = settle_threads(config, state, outcome, trainer, device)
    with minding_other_programs(threads if device.type == "cpu" else 1):
        Session(
            folder=folder,
            outcome=outcome,
            trainer=trainer,
            dataset=dataset,
            shown=train_images if val_images is None else val_images,
            make_batches=lambda images: make_batches(config, images, device, is_training=False),
            objective=_names(config.objective),
            test=config.test,
            pictures=config.pictures,
            display=progress,
        ).run()


def _names(objective: Any) -> str | list[str]:
    return objective if isinstance(objective, str) else list(objective)


def _state(
    folder: RunFolder, device: torch.device, outcome: Outcome, progress: RunProgress
) -> dict[str, Any] | None:
    """What last.pt holds for a resume; None without one. Says where other code wrote it."""
    if not folder.last.exists():
        return None
    state = checkpoint_file.read(folder.last, device)
    line = take_up(outcome, state)
    if line is not None:
        log.warning("%s", line)
        progress.note(f"note: {line}")
    return state


def _model(
    config: DictConfig,
    dataset: Dataset,
    images: int,
    outcome: Outcome,
    state: dict[str, Any] | None,
    progress: RunProgress,
) -> nn.Module:
    """The network, counted; checked and listed unless it has trained on these images before."""
    model = make_model(config, dataset, starts_anew=state is None)
    outcome.parameters = sum(parameter.numel() for parameter in model.parameters())
    if state is None or config.summary:
        _check_fits(config, model, dataset, images)
        _say_layers(config, layer_table(model, dataset.in_channels, dataset.image_size), progress)
    return model


def _check_fits(config: DictConfig, model: nn.Module, data: Dataset, images: int) -> None:
    batch_size = config.data.batch_size
    occurring = sorted({batch_size, images % batch_size} - {0})
    sizes = data.in_channels, data.image_size, data.num_classes
    check_fits(model, *sizes, train_batches=occurring)


def _data(
    config: DictConfig,
    folder: RunFolder,
    outcome: Outcome,
    state: dict[str, Any] | None,
    progress: RunProgress,
) -> Dataset:
    """The data set, recorded; UserError where it is not the one that a resumed run began with."""
    dataset = make_dataset(config)
    outcome.classes = list(dataset.classes)
    settle_data(folder, outcome, dataset, state, progress.note)
    _say_data(config, dataset, progress)
    return dataset


def _say_data(config: DictConfig, dataset: Dataset, progress: RunProgress) -> None:
    notes = list(dataset.notes)
    if dataset.val is not None and config.data.val_fraction == 0:
        notes.append(f"data.val_fraction=0: the {len(dataset.val):,} to validate are not used")
    for note in map(printable, notes):
        log.info("%s", note)
        progress.note(note)


def _say_layers(config: DictConfig, table: str, progress: RunProgress) -> None:
    log.info("%s\n%s", config.model._target_, table)
    if config.summary:
        progress.say(table)


def _say_of_training(
    config: DictConfig, trainer: Trainer, device: torch.device, progress: RunProgress
) -> None:
    """What the config asks for and does not get: a schedule that moves, a graph."""
    if trainer.step.schedule.never_moves(config.epochs, len(trainer.train)):
        line = (
            f"note: {config.scheduler._target_} leaves the learning rate as it is in all "
            f"{config.epochs} epochs: choose more epochs, or other values below scheduler.*"
        )
        log.warning(line)
        progress.say(line)
    if config.graph and device.type != "cuda":
        line = f"graph=true needs a CUDA device: on {device} steps are trained one by one"
        log.info("%s", line)
        progress.note(f"note: {line}")
