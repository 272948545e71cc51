"""python tests/other_apps/tiny/train.py --multirun: what another app's training loop does."""

import json
import random
import time
from pathlib import Path

import hydra
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig

import cnnsweep


@hydra.main(config_path=".", config_name="config")
def train(config: DictConfig) -> float | None:
    folder = Path(HydraConfig.get().runtime.output_dir)
    state = {"epoch": 0, "weight": 0.0, "val_loss": 9.0}
    if (folder / "state.json").exists() and config.mishap != "begins_anew":
        state = json.loads((folder / "state.json").read_text())
        report(config, int(state["epoch"]), state["val_loss"])
    while state["epoch"] < config.epochs:
        epoch = int(state["epoch"]) + 1
        state = descend(config, epoch, state["weight"])
        time.sleep(config.epoch_seconds)
        if config.mishap != "keeps_nothing":
            (folder / "state.new").write_text(json.dumps(state))
            (folder / "state.new").replace(folder / "state.json")
        with (folder / "epochs.txt").open("a") as trace:  # whoever trains one leaves a line
            trace.write(f"{epoch}\n")
        report(config, epoch, state["val_loss"])
        if config.mishap == "raises" and epoch == 2:
            raise RuntimeError("a mishap")
    return state["val_loss"] if config.returns == "val_loss" else None


def descend(config: DictConfig, epoch: int, weight: float) -> dict[str, float]:
    noise = random.Random(epoch if config.mishap != "begins_anew" else None).gauss(0, 1)
    weight -= config.lr * (2 * (weight - 3) + config.momentum * noise)
    return {"epoch": epoch, "weight": weight, "val_loss": (weight - 3) ** 2}


def report(config: DictConfig, epoch: int, val_loss: float) -> None:
    value = float("nan") if config.mishap == "diverges" else val_loss
    try:
        cnnsweep.report_epoch(epoch, {"val_loss": value, "half": val_loss / 2})
    except Exception:
        if config.mishap != "catches_errors":
            raise
    except BaseException:
        if config.mishap != "catches_all":
            raise


if __name__ == "__main__":
    train()
