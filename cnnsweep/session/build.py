"""The parts of a run, each made from its group of the config."""

import logging
from collections.abc import Sequence
from functools import partial
from inspect import signature
from pathlib import Path
from typing import Any, Protocol

import torch
from omegaconf import DictConfig, OmegaConf
from torch import nn

from cnnsweep.config.instantiate import build, call
from cnnsweep.config.own_keys import BESIDE_TARGET
from cnnsweep.config.validation import objective_names
from cnnsweep.data.batches import Batches, Layout
from cnnsweep.data.dataset import Dataset, Images
from cnnsweep.errors import UserError
from cnnsweep.folders.missing_checkpoints import why_no_weights
from cnnsweep.folders.run_folder import RunFolder
from cnnsweep.metric_names import DIRECTIONS, VALIDATION_METRICS
from cnnsweep.models.cpu_forms import for_cpu
from cnnsweep.models.inspect import last_layer, last_layer_name
from cnnsweep.models.views import AveragedViews
from cnnsweep.session.family import family_of
from cnnsweep.training import fine_tuning
from cnnsweep.training.class_weights import class_weights
from cnnsweep.training.compile import compile_in_place, free_optimizers_of_compiler
from cnnsweep.training.device import autocast
from cnnsweep.training.early_stopping import Score
from cnnsweep.training.graph.cuda import CudaGraph
from cnnsweep.training.graph.epoch import GraphedEpoch
from cnnsweep.training.graph.static_step import StaticStep
from cnnsweep.training.optimizer_step import OptimizerStep
from cnnsweep.training.schedule import Schedule
from cnnsweep.training.trainer import Trainer, seed_everything

log = logging.getLogger(__name__)


class Sizes(Protocol):
    """What a network must know of its data: a Dataset has it, and so has a checkpoint."""

    @property
    def in_channels(self) -> int: ...

    @property
    def image_size(self) -> tuple[int, int]: ...

    @property
    def num_classes(self) -> int: ...


def make_dataset(config: DictConfig) -> Dataset:
    """The data set of a config; its test images are not read yet."""
    dataset: Dataset = build("data", config.data, without=BESIDE_TARGET["data"])
    return dataset


def make_model(config: DictConfig, sizes: Sizes, *, starts_anew: bool) -> nn.Module:
    """The network of a config, seeded; if ``starts_anew``, with the weights of ``init_from``."""
    seed_everything(config.seed, "weights")
    model: nn.Module = build(
        "model",
        config.model,
        without=BESIDE_TARGET["model"],
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


def with_views(config: DictConfig, model: nn.Module) -> nn.Module:
    """What answers for the model outside training: itself, or with test-time augmentation."""
    views = config.test_time_augmentation
    if views is None:
        return model
    return AveragedViews(model, [views] if isinstance(views, str) else list(views))


def make_batches(
    config: DictConfig, images: Images, device: torch.device, *, is_training: bool
) -> Batches:
    """Batches as the config says; shuffled and augmented only for training."""
    data = config.data
    is_channels_last = _layout(config) == "channels_last"
    order = torch.channels_last if is_channels_last else torch.contiguous_format
    return Batches(
        images.to(device, order),
        batch_size=data.batch_size if is_training else data.eval_batch_size,
        mean=_plain(data.mean),
        std=_plain(data.std),
        shuffle=is_training,
        layout=_layout(config),
        augment=build("augment", config.augment) if is_training else None,
    )


def make_loss(config: DictConfig, train: Images, classes: Sequence[str]) -> nn.Module:
    """The loss of a config; its classes weigh what ``loss.weight`` says of the training images."""
    given = _plain(config.loss.get("weight"))  # an own loss without ours has none
    weight = class_weights(given, train.by_class(len(classes)), classes)
    if weight is None:
        loss: nn.Module = build("loss", config.loss, without=("weight",))
        return loss
    make = build("loss", config.loss, without=("weight",), partial=True)
    if "weight" not in signature(make.func).parameters:
        raise UserError(
            f"loss.weight={given}: {config.loss._target_} takes no weights; allowed is null"
        )
    weighted: nn.Module = make(weight=weight)
    return weighted


def make_trainer(
    config: DictConfig,
    model: nn.Module,
    loss: nn.Module,
    train: Batches,
    val: Batches | None,
    device: torch.device,
    precision: str,
) -> Trainer:
    """The trainer of a model, which is moved to the device; nothing is trained yet."""
    if _layout(config) == "channels_last":
        model.to(memory_format=torch.channels_last)
        # The compiler makes forms of its own; in bfloat16 this one was not measured.
        if device.type == "cpu" and precision == "float32" and not config.compile:
            for_cpu(model)
    model.to(device)
    if config.compile:
        compile_in_place(model, device)
    else:
        free_optimizers_of_compiler()
    parameters = [parameter for parameter in model.parameters() if parameter.requires_grad]
    optimizer = call(
        "optim", config.optim._target_, build("optim", config.optim, partial=True), parameters
    )
    schedule = _make_schedule(config, optimizer, len(train))
    monitored = _monitored_metric(config)
    step = OptimizerStep(optimizer, schedule, parameters, config.grad_clip, config.l1)
    return Trainer(
        model=model,
        answers=with_views(config, model),
        step=step,
        score=Score(
            monitored,
            is_higher_better=monitored is None or DIRECTIONS[monitored] == "maximize",
            patience=config.early_stopping.patience,
            min_delta=config.early_stopping.min_delta,
        ),
        loss=loss.to(device),
        train=train,
        val=val,
        cast=autocast(device, precision),
        prepare=partial(fine_tuning.training_mode, is_frozen=config.freeze),
        seed=config.seed,
        epochs=config.epochs,
        find_family=partial(family_of, config, model, loss, step, train, val),
        graphed=_graphed(config, model, loss, step, train, device, precision),
    )


def _graphed(
    config: DictConfig,
    model: nn.Module,
    loss: nn.Module,
    step: OptimizerStep,
    train: Batches,
    device: torch.device,
    precision: str,
) -> GraphedEpoch | None:
    if not config.graph or device.type != "cuda":
        return None
    one = StaticStep(
        model=model,
        split=train,
        loss=loss,
        cast=autocast(device, precision),
        step=step,
        device=device,
    )
    return GraphedEpoch(one, partial(CudaGraph, device))


def _make_schedule(config: DictConfig, optimizer: Any, steps_per_epoch: int) -> Schedule:
    make = build(
        "scheduler",
        config.scheduler,
        without=BESIDE_TARGET["scheduler"],
        partial=True,
        steps_per_epoch=steps_per_epoch,
    )
    if make is None:
        return Schedule(None, "epoch")
    return Schedule(
        call("scheduler", config.scheduler._target_, make, optimizer), config.scheduler.interval
    )


def _monitored_metric(config: DictConfig) -> str | None:
    """The metric that chooses the best epoch; None without a validation split."""
    if config.data.val_fraction == 0:
        return None
    names = objective_names(config.objective)
    return next((name for name in names if name in VALIDATION_METRICS), "val_accuracy")


def _layout(config: DictConfig) -> Layout:
    layout: Layout = config.model.get("layout", "contiguous")  # a user's model may not name one
    return layout


def _plain(value: Any) -> Any:
    return OmegaConf.to_container(value) if OmegaConf.is_config(value) else value


def _weights_file(path: Path) -> Path:
    """The file that ``init_from`` names, by itself or by its run's folder."""
    folder = RunFolder(path if path.is_dir() else path.parent)
    file = folder.best if path.is_dir() else path
    if file == folder.best and not file.exists() and folder.config.exists():
        raise UserError(f"init_from={path}: {why_no_weights(folder)}")
    return file
