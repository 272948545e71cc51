"""Gradient descent on a noisy parabola, with epochs, a checkpoint, and mishaps on demand.

python -m tests.sweep.toy.app --multirun hydra/sweeper=optuna lr='interval(0,1)'
"""

import faulthandler
import json
import math
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

import hydra
import numpy as np
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig

from cnnsweep import epoch_reporter
from cnnsweep.config import CONF_DIR
from cnnsweep.config.allowed_targets import allowed_targets
from cnnsweep.folders.result import Outcome, recorded
from cnnsweep.folders.run_folder import RunFolder, write_text_whole
from cnnsweep.folders.sweep_folder import is_confirmation
from cnnsweep.process import Terminated, raise_on_stops


def task(config: DictConfig) -> Any:
    """Minimise (w - 3)² by noisy steps; the state after each epoch is on disk before it is told."""
    folder = RunFolder(Path(HydraConfig.get().runtime.output_dir))
    outcome = Outcome(seed=config.seed, device="cpu", precision="float32", threads=config.threads)
    finished = folder.read_result()
    if finished is not None and finished["status"] == "completed":
        return finished["objective"]
    with recorded(folder, outcome):
        outcome.objective = _train(config, folder)
        outcome.val_loss = 0.0
        if config.test and is_confirmation(Path(HydraConfig.get().runtime.output_dir)):
            outcome.test_accuracy = 0.9 + 0.001 * config.seed
            outcome.test_loss = 0.1
    return outcome.objective


def _train(config: DictConfig, folder: RunFolder) -> Any:
    rows = _load(folder)
    for row in rows:
        _tell(row)
    weight = rows[-1]["weight"] if rows else 0.0
    for epoch in range(len(rows) + 1, config.epochs + 1):
        _mishap(config, epoch)
        _wait(config)
        time.sleep(config.epoch_seconds)
        noise = np.random.default_rng([config.seed, epoch]).normal()
        weight -= config.lr * (2 * (weight - 3) + config.momentum * noise)
        rows.append({"epoch": epoch, "val_loss": float((weight - 3) ** 2), "weight": weight})
        write_text_whole(folder.path / "toy.json", json.dumps(rows))
        with (folder.path / "epochs.txt").open("a") as trace:  # whoever trains one leaves a line
            trace.write(f"{epoch} {os.getpid()}\n")
        _tell(rows[-1])
    if config.objective == "val_loss":
        return rows[-1]["val_loss"] if config.mishap != "no_number" else math.nan
    return [rows[-1]["val_loss"], config.momentum]


def _load(folder: RunFolder) -> list[dict[str, Any]]:
    path = folder.path / "toy.json"
    return json.loads(path.read_text()) if path.exists() else []


def _tell(row: dict[str, Any]) -> None:
    if epoch_reporter.current is not None:
        epoch_reporter.current.epoch_ended(row["epoch"], {"val_loss": row["val_loss"]})


def _wait(config: DictConfig) -> None:
    while config.hold is not None and Path(config.hold).exists():
        time.sleep(0.05)
    sweep = Path(HydraConfig.get().sweep.dir)
    deadline = time.monotonic() + 120
    while len(list(sweep.glob("*/result.json"))) < config.others:
        if time.monotonic() > deadline:
            raise TimeoutError(f"{config.others} other trials are not over")
        time.sleep(0.05)


def _mishap(config: DictConfig, epoch: int) -> None:
    if config.mishap == "tell_device":
        folder = Path(HydraConfig.get().runtime.output_dir)
        (folder / "device").write_text(os.environ["CUDA_VISIBLE_DEVICES"])
        (folder / "share").write_text(os.environ.get("CNNSWEEP_GPU_SHARE", ""))
    if epoch != 2:
        return
    if config.mishap == "raise":
        raise RuntimeError(f"a mishap at lr {config.lr}")
    if config.mishap == "exit":
        os._exit(3)
    if config.mishap in ("SIGKILL", "SIGSEGV"):
        os.kill(os.getpid(), signal.Signals[config.mishap])
    if config.mishap == "memory":
        bytearray(2**60)
    if config.mishap == "hang":
        time.sleep(1000)


if __name__ == "__main__":
    faulthandler.enable()
    sys.argv.append(f"hydra.searchpath=[file://{CONF_DIR}]")
    raise_on_stops()
    decorate = hydra.main(
        config_path=str(Path(__file__).parent),
        config_name="config",
        execution_whitelist=allowed_targets(),
    )
    try:
        decorate(task)()
    except Terminated:
        sys.exit(143)
