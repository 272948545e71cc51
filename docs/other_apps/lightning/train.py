"""Lightning's Trainer with Hydra; a callback reports each epoch and keeps what resuming needs."""

from pathlib import Path
from typing import Any

import hydra
import lightning
import torch
from hydra.core.hydra_config import HydraConfig
from lightning.pytorch.callbacks import Checkpoint
from omegaconf import DictConfig
from sklearn.datasets import load_digits
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

import cnnsweep


class Report(Checkpoint):
    """After each epoch: last.ckpt, then report_epoch. A checkpoint holds the epoch's metrics.

    A Checkpoint comes after EarlyStopping, and after each ModelCheckpoint that is named before it.
    """

    def __init__(self, last: Path | str) -> None:
        self.last = Path(last)
        self.epoch = 0
        self.metrics: dict[str, float] = {}
        self.stops = False  # EarlyStopping has ended the run

    def on_train_epoch_end(self, trainer: lightning.Trainer, *_: Any) -> None:  # validation is over
        self.epoch, self.stops = trainer.current_epoch + 1, trainer.should_stop
        self.metrics = {name: value.item() for name, value in trainer.callback_metrics.items()}
        trainer.save_checkpoint(self.last.with_suffix(".new"))
        self.last.with_suffix(".new").replace(self.last)
        cnnsweep.report_epoch(self.epoch, self.metrics)

    def on_fit_start(self, *_: Any) -> None:
        if self.epoch:  # resumed: again, it may have been killed just before
            cnnsweep.report_epoch(self.epoch, self.metrics)

    def on_train_start(self, trainer: lightning.Trainer, *_: Any) -> None:
        """What Lightning does after a checkpoint is saved, and leaves out of a resumed run."""
        trainer.should_stop = trainer.should_stop or self.stops
        for schedule in trainer.lr_scheduler_configs if self.epoch else []:
            if schedule.reduce_on_plateau and self.epoch % schedule.frequency == 0:
                schedule.scheduler.step(self.metrics[schedule.monitor])

    def state_dict(self) -> dict[str, Any]:
        return {"epoch": self.epoch, "metrics": self.metrics, "stops": self.stops}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.epoch, self.metrics, self.stops = state["epoch"], state["metrics"], state["stops"]


class Digits(lightning.LightningModule):
    def __init__(self, config: DictConfig) -> None:
        super().__init__()
        self.config = config
        width = config.width
        self.model = nn.Sequential(nn.Linear(64, width), nn.ReLU(), nn.Linear(width, 10))
        digits = load_digits()
        x, y = torch.tensor(digits.data / 16, dtype=torch.float32), torch.tensor(digits.target)
        self.training_set = TensorDataset(x[:1200], y[:1200])
        self.validation_set = TensorDataset(x[1200:], y[1200:])

    def train_dataloader(self) -> DataLoader[Any]:
        """Each epoch has an order of its own, the same after a resume."""
        random = torch.Generator().manual_seed(1000 * self.config.seed + self.current_epoch)
        order = torch.randperm(len(self.training_set), generator=random)
        return DataLoader(self.training_set, batch_size=64, sampler=order.tolist())

    def val_dataloader(self) -> DataLoader[Any]:
        return DataLoader(self.validation_set, batch_size=600)

    def training_step(self, batch: list[torch.Tensor]) -> torch.Tensor:
        return nn.functional.cross_entropy(self.model(batch[0]), batch[1])

    def validation_step(self, batch: list[torch.Tensor]) -> None:
        self.log("val_loss", nn.functional.cross_entropy(self.model(batch[0]), batch[1]))

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.SGD(self.parameters(), self.config.lr, momentum=0.9)


@hydra.main(config_path="conf", config_name="config")
def train(config: DictConfig) -> None:
    last = Path(HydraConfig.get().runtime.output_dir) / "last.ckpt"
    lightning.seed_everything(config.seed)
    trainer = lightning.Trainer(
        max_epochs=config.epochs,
        accelerator="cpu",
        callbacks=[Report(last)],
        reload_dataloaders_every_n_epochs=1,
        num_sanity_val_steps=0,
        logger=False,
        enable_progress_bar=False,
    )
    trainer.fit(Digits(config), ckpt_path=last if last.exists() else None)


if __name__ == "__main__":
    train()
