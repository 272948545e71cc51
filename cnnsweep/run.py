"""One run: the one place that turns a config into a trained, evaluated model."""

import logging
from pathlib import Path
from typing import Any, Protocol

import torch
from omegaconf import DictConfig, OmegaConf
from torch import nn

from cnnsweep import checkpoint, epoch_reporter
from cnnsweep.config.instantiate import build, call
from cnnsweep.config.validation import objective_names
from cnnsweep.data.batches import Batches, Layout
from cnnsweep.data.dataset import Dataset, Images
from cnnsweep.data.split import limit, split
from cnnsweep.folders.result import Outcome
from cnnsweep.folders.run_folder import RunFolder
from cnnsweep.loggers.manager import Trackers
from cnnsweep.metric_names import DIRECTIONS, VALIDATION_METRICS
from cnnsweep.models.inspect import check_fits, last_layer, last_layer_name, layer_table
from cnnsweep.process import begin_collection
from cnnsweep.session.progress import Quiet, make_progress
from cnnsweep.session.session import Session
from cnnsweep.training import fine_tuning
from cnnsweep.training.compile import compile_in_place, free_optimizers_of_compiler
from cnnsweep.training.device import (
    autocast,
    keep_freed_memory,
    resolve_device,
    resolve_precision,
    use_deterministic_algorithms,
    use_threads,
)
from cnnsweep.training.early_stopping import Score
from cnnsweep.training.optimizer_step import OptimizerStep
from cnnsweep.training.schedule import Schedule
from cnnsweep.training.seeds import seed_everything
from cnnsweep.training.trainer import Trainer

log = logging.getLogger(__name__)

_PIPELINE_KEYS = ("batch_size", "eval_batch_size", "val_fraction", "train_limit", "mean", "std")


def run(config: DictConfig, folder: RunFolder, outcome: Outcome, trackers: Trackers) -> None:
    """Train and evaluate what ``config`` says, going on from the folder's last.pt if it has one.

    Every file of the run but result.json is written here; its content is left in ``outcome``.
    """
    device = resolve_device(config.device)
    outcome.device = str(device)
    outcome.precision = resolve_precision(config.precision, device)
    state = checkpoint.read(folder.last, device) if folder.last.exists() else None
    outcome.threads = use_threads(_threads(config, state))
    keep_freed_memory()
    use_deterministic_algorithms(config.deterministic)
    dataset = make_dataset(config)
    train_images, val_images = split(
        limit(dataset.train, config.data.train_limit), config.data.val_fraction, config.seed
    )
    train = make_batches(config, train_images, device, is_training=True)
    model = make_model(config, dataset, starts_anew=state is None)
    outcome.parameters = sum(parameter.numel() for parameter in model.parameters())
    check_fits(
        model,
        dataset.in_channels,
        dataset.image_size,
        dataset.num_classes,
        train_batches=_batch_sizes(train.images, config.data.batch_size),
    )
    display = make_progress() if epoch_reporter.current is None else Quiet()
    table = layer_table(model, dataset.in_channels, dataset.image_size)
    log.info("%s\n%s", config.model._target_, table)
    if config.summary:
        display.say(table)
    trainer = _make_trainer(config, model, train, device, outcome.precision)
    if val_images is not None:
        trainer.val = make_batches(config, val_images, device, is_training=False)
    if state is not None:
        trainer.load_state_dict(state["training"])
    begin_collection()
    Session(
        folder=folder,
        outcome=outcome,
        trainer=trainer,
        dataset=dataset,
        shown=train_images if val_images is None else val_images,
        make_batches=lambda images: make_batches(config, images, device, is_training=False),
        objective=config.objective if isinstance(config.objective, str) else list(config.objective),
        test=config.test,
        pictures=config.pictures,
        display=display,
        trackers=trackers,
    ).run()


class Sizes(Protocol):
    """What a network must know of its data: a data set, or what a checkpoint says of one."""

    @property
    def in_channels(self) -> int: ...

    @property
    def image_size(self) -> tuple[int, int]: ...

    @property
    def num_classes(self) -> int: ...


def make_dataset(config: DictConfig) -> Dataset:
    """The data set of a config; its test images are not read yet."""
    dataset: Dataset = build("data", config.data, without=_PIPELINE_KEYS)
    return dataset


def make_model(config: DictConfig, sizes: Sizes, *, starts_anew: bool) -> nn.Module:
    """The network of a config, seeded; with ``starts_anew`` also with its first weights."""
    seed_everything(config.seed, "weights")
    model: nn.Module = build(
        "model",
        config.model,
        without=("layout",),
        in_channels=sizes.in_channels,
        image_size=sizes.image_size,
        num_classes=sizes.num_classes,
    )
    if config.init_from is not None and starts_anew:
        path = _weights_file(Path(str(config.init_from)))
        kept = fine_tuning.load_weights(model, path, last_layer_name(model))
        log.info("weights from %s%s", path, f"; kept: {', '.join(kept)}" if kept else "")
    if config.freeze:
        fine_tuning.freeze_all_but(model, last_layer(model))
    return model


def make_batches(
    config: DictConfig, images: Images, device: torch.device, *, is_training: bool
) -> Batches:
    """Batches as the config says: shuffled and augmented for training, as they are otherwise."""
    data = config.data
    return Batches(
        images.to(device),
        batch_size=data.batch_size if is_training else data.eval_batch_size,
        mean=_plain(data.mean),
        std=_plain(data.std),
        shuffle=is_training,
        layout=_layout(config),
        augment=build("augment", config.augment) if is_training else None,
    )


def _make_trainer(
    config: DictConfig, model: nn.Module, train: Batches, device: torch.device, precision: str
) -> Trainer:
    if _layout(config) == "channels_last":
        model.to(memory_format=torch.channels_last)
    model.to(device)
    if config.compile:
        compile_in_place(model, device)
    else:
        free_optimizers_of_compiler()
    parameters = fine_tuning.trainable(model)
    optimizer = call(
        "optim", config.optim._target_, build("optim", config.optim, partial=True), parameters
    )
    schedule = _make_schedule(config, optimizer, len(train))
    figure = _monitored_metric(config)
    return Trainer(
        model=model,
        optimizer=optimizer,
        schedule=schedule,
        step=OptimizerStep(
            optimizer, schedule, parameters, grad_clip=config.grad_clip, l1=config.l1
        ),
        score=Score(
            figure,
            is_higher_better=figure is None or DIRECTIONS[figure] == "maximize",
            patience=config.early_stopping.patience,
            min_delta=config.early_stopping.min_delta,
        ),
        loss=build("loss", config.loss).to(device),
        train=train,
        val=None,
        cast=autocast(device, precision),
        prepare=fine_tuning.training_mode(config.freeze),
        seed=config.seed,
        epochs=config.epochs,
    )


def _make_schedule(config: DictConfig, optimizer: Any, steps_per_epoch: int) -> Schedule:
    make = build(
        "scheduler",
        config.scheduler,
        without=("interval",),
        partial=True,
        steps_per_epoch=steps_per_epoch,
    )
    if make is None:
        return Schedule(None, "epoch")
    return Schedule(
        call("scheduler", config.scheduler._target_, make, optimizer), config.scheduler.interval
    )


def _monitored_metric(config: DictConfig) -> str | None:
    """The figure that chooses the best epoch; None without a validation split."""
    if config.data.val_fraction == 0:
        return None
    names = objective_names(config.objective)
    return next((name for name in names if name in VALIDATION_METRICS), "val_accuracy")


def _threads(config: DictConfig, state: dict[str, Any] | None) -> int | str:
    """Equal bytes need equal threads, so a run goes on with the number it began with."""
    if config.threads == "auto" and state is not None:
        return int(state["threads"])
    return int(config.threads) if config.threads != "auto" else "auto"


def _batch_sizes(images: int, batch_size: int) -> list[int]:
    return sorted({batch_size, images % batch_size} - {0})


def _layout(config: DictConfig) -> Layout:
    layout: Layout = config.model.get("layout", "contiguous")  # a user's model may not name one
    return layout


def _plain(value: Any) -> Any:
    return OmegaConf.to_container(value) if OmegaConf.is_config(value) else value


def _weights_file(path: Path) -> Path:
    return RunFolder(path).best if path.is_dir() else path
