"""A training loop of one's own, with Hydra: a small network learns scikit-learn's digits."""

from pathlib import Path

import hydra
import torch
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig
from sklearn.datasets import load_digits
from torch import nn

import cnnsweep


def load() -> tuple[torch.Tensor, ...]:
    digits = load_digits()
    x, y = torch.tensor(digits.data / 16, dtype=torch.float32), torch.tensor(digits.target)
    return x[:1200], y[:1200], x[1200:], y[1200:]


@hydra.main(config_path="conf", config_name="config")
def train(config: DictConfig) -> None:
    last = Path(HydraConfig.get().runtime.output_dir) / "last.pt"
    x, y, val_x, val_y = load()
    torch.manual_seed(config.seed)
    model = nn.Sequential(nn.Linear(64, config.width), nn.ReLU(), nn.Linear(config.width, 10))
    optimizer = torch.optim.SGD(model.parameters(), lr=config.lr, momentum=0.9)
    epoch = 0

    if last.exists():  # killed or paused: go on from the last whole epoch
        state = torch.load(last)
        model.load_state_dict(state["model"])
        optimizer.load_state_dict(state["optimizer"])
        torch.set_rng_state(state["random"])
        epoch = state["epoch"]
        cnnsweep.report_epoch(epoch, state["metrics"])  # again: it may have been killed just before

    while epoch < config.epochs:
        epoch += 1
        for batch in torch.randperm(len(x)).split(config.batch_size):
            optimizer.zero_grad()
            loss = nn.functional.cross_entropy(model(x[batch]), y[batch])
            loss.backward()
            optimizer.step()
        with torch.no_grad():
            right = (model(val_x).argmax(1) == val_y).float()
        metrics = {"train_loss": loss.item(), "val_accuracy": right.mean().item()}
        state = {
            "model": model.state_dict(),
            "optimizer": optimizer.state_dict(),
            "random": torch.get_rng_state(),
            "epoch": epoch,
            "metrics": metrics,
        }
        torch.save(state, last.with_suffix(".new"))
        last.with_suffix(".new").replace(last)  # in one step: never half a file
        cnnsweep.report_epoch(epoch, metrics)


if __name__ == "__main__":
    train()
