"""The stack of lightning-hydra-template: Lightning's Trainer in a Hydra app, Optuna and joblib.

As in the template: a LightningModule with torchmetrics, a DataModule of DataLoaders, checkpoint
and early-stopping callbacks. Progress bar, model summary and sanity check are off, which is faster.
"""

import json
import warnings
from pathlib import Path
from typing import Any

import article
import hydra
import hydra_app  # noqa: F401 — registers the config that both apps have
import torch
from events import Events
from hydra.core.hydra_config import HydraConfig
from lightning import Callback, LightningDataModule, LightningModule, Trainer, seed_everything
from lightning.pytorch.callbacks import EarlyStopping, ModelCheckpoint
from lightning.pytorch.loggers import CSVLogger
from omegaconf import DictConfig
from torchmetrics import MaxMetric, MeanMetric
from torchmetrics.classification import MulticlassAccuracy

warnings.simplefilter("ignore")


class Data(LightningDataModule):
    def __init__(self, config: DictConfig) -> None:
        super().__init__()
        self.config = config

    def setup(self, stage: str) -> None:  # noqa: ARG002 — Lightning names it
        parts = json.loads(Path(self.config.split).read_text())
        self.parts = article.search_data(Path(self.config.data), parts["train"], parts["val"])

    def train_dataloader(self) -> Any:
        return article.loader(self.parts[0], self.config.batch_size, shuffle=True)

    def val_dataloader(self) -> Any:
        return article.loader(self.parts[1], 1000, shuffle=False)


class Module(LightningModule):
    def __init__(self, lr: float, momentum: float) -> None:
        super().__init__()
        self.rates = {"lr": lr, "momentum": momentum}
        self.save_hyperparameters()
        self.net = article.resnet()
        self.criterion = torch.nn.CrossEntropyLoss()
        self.train_acc = MulticlassAccuracy(article.CLASSES, average="micro")
        self.val_acc = MulticlassAccuracy(article.CLASSES, average="micro")
        self.train_loss, self.val_loss = MeanMetric(), MeanMetric()
        self.val_acc_best = MaxMetric()

    def training_step(self, batch: Any, _: int) -> Any:
        images, labels = batch
        logits = self.net(images)
        loss = self.criterion(logits, labels)
        self.train_loss(loss)
        self.train_acc(logits.argmax(dim=1), labels)
        self.log("train/loss", self.train_loss, on_step=False, on_epoch=True)
        self.log("train/acc", self.train_acc, on_step=False, on_epoch=True)
        return loss

    def validation_step(self, batch: Any, _: int) -> None:
        images, labels = batch
        logits = self.net(images)
        self.val_loss(self.criterion(logits, labels))
        self.val_acc(logits.argmax(dim=1), labels)
        self.log("val/loss", self.val_loss, on_step=False, on_epoch=True)
        self.log("val/acc", self.val_acc, on_step=False, on_epoch=True)

    def on_validation_epoch_end(self) -> None:
        self.val_acc_best(self.val_acc.compute())
        self.log("val/acc_best", self.val_acc_best.compute(), sync_dist=True)

    def configure_optimizers(self) -> Any:
        return torch.optim.SGD(self.parameters(), **self.rates)


class Tell(Callback):
    """Writes the benchmark's events."""

    def __init__(self, events: Events) -> None:
        self.events = events

    def on_validation_epoch_end(self, trainer: Trainer, _: LightningModule) -> None:
        self.events.epoch(float(trainer.callback_metrics["val/acc"]))


@hydra.main(config_path=None, config_name="config")
def main(config: DictConfig) -> float:
    torch.set_num_threads(config.threads)
    seed_everything(config.seed, workers=True, verbose=False)
    events = Events(config.events, str(HydraConfig.get().job.num))
    folder = HydraConfig.get().runtime.output_dir
    callbacks = [
        ModelCheckpoint(f"{folder}/checkpoints", monitor="val/acc", mode="max", save_last=True),
        EarlyStopping("val/acc", patience=100, mode="max"),
        Tell(events),
    ]
    trainer = Trainer(
        max_epochs=config.epochs,
        accelerator="cpu",
        devices=1,
        callbacks=callbacks,
        logger=CSVLogger(folder),
        enable_progress_bar=False,
        enable_model_summary=False,
        num_sanity_val_steps=0,
        log_every_n_steps=50,
    )
    trainer.fit(Module(config.lr, config.momentum), datamodule=Data(config))
    events.end()
    return float(trainer.callback_metrics["val/acc_best"])


if __name__ == "__main__":
    main()
