"""Run folders, grids and Optuna sweeps as contract.md says, without training anything."""

import csv
import io
import json
import math
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

LEVEL = {"simple": 0.970, "lenet": 0.955, "inception": 0.9775, "resnet": 0.979, "densenet": 0.981}
PARAMETERS = {
    "simple": 421_642, "lenet": 61_706, "inception": 97_298, "resnet": 41_514, "densenet": 83_210,
}  # fmt: skip
CLASSES = {"resnet": "ResNet", "densenet": "DenseNet", "lenet": "LeNet"}
HYDRA = """\
hydra:
  run:
    dir: outputs/${{now:%Y-%m-%d}}/${{now:%H-%M-%S}}
  sweep:
    dir: multirun/${{now:%Y-%m-%d}}/${{now:%H-%M-%S}}
    subdir: ${{hydra.job.num}}
  launcher:
    _target_: hydra._internal.core_plugins.basic_launcher.BasicLauncher
  help:
    app_name: ${{hydra.job.name}}
    template: '${{hydra.help.header}}

      == Configuration groups ==

      Override anything in the config (foo.bar=value)

      '
  job_logging:
    version: 1
    formatters:
      simple:
        format: '[%(asctime)s][%(name)s][%(levelname)s] - %(message)s'
    disable_existing_loggers: false
  mode: {mode}
  overrides:
    hydra:
    - hydra.mode={mode}
    task:
    - model={model}
  runtime:
    version: 1.4.0rc3
    output_dir: {folder}
    choices:
      model: {model}
      optim: sgd
      scheduler: none
      loss: cross_entropy
      data: {data}
      experiment: null
      hydra/sweeper: basic
      hydra/launcher: basic
  verbose: false
"""


@dataclass
class Job:
    """What to make; ``changes`` are dotted config keys."""

    model: str = "simple"
    seed: int = 0
    data: str = "digits"
    epochs: int = 5
    status: str = "completed"
    test: bool = True
    mode: str = "RUN"
    changes: Mapping[str, Any] = field(default_factory=dict)
    error: str | None = None
    images: int = 0  # rows of test_predictions.csv
    accuracy: float | None = None
    fingerprint: str | None = None  # of the data; None: older code, which recorded none
    learned: bool | None = None  # None: older code's, which does not say

    def level(self) -> float:
        """The run's accuracy: its model's, less for a bad learning rate, with a seed's luck."""
        if self.accuracy is not None:
            return self.accuracy
        lr = float(self.changes.get("optim.lr", 0.01))
        luck = random.Random(f"{self.seed}").gauss(0, 0.001)
        own = random.Random(f"{self.seed} {self.model} {sorted(self.changes.items())}")
        penalty = 0.01 * (math.log10(lr) + 2) ** 2
        return max(
            0.1, min(0.999, LEVEL.get(self.model, 0.9) - penalty + luck + own.gauss(0, 7e-4))
        )


def config(job: Job) -> dict[str, Any]:
    """A resolved config like that of ``python -m cnnsweep``."""
    tree: dict[str, Any] = {
        "seed": job.seed, "epochs": job.epochs, "device": "auto", "precision": "float32",
        "deterministic": False, "threads": 1, "objective": "val_accuracy", "test": job.test,
        "early_stopping": {"patience": None, "min_delta": 0.0}, "grad_clip": None, "l1": 0.0,
        "init_from": None, "freeze": False, "resume": None, "keep": "all", "pictures": True,
        "summary": False,
        "model": {
            "_target_": f"cnnsweep.models.{job.model}.{CLASSES.get(job.model, job.model.title())}",
            "channels": [16, 32],
            "kernel_size": 5, "activation": "relu", "dropout": 0.0, "init": "default",
        },
        "optim": {
            "_target_": "torch.optim.SGD", "lr": 0.01, "momentum": 0.9, "dampening": 0.0,
            "weight_decay": 0.0, "nesterov": False, "fused": True,
        },
        "scheduler": {"_target_": None},
        "loss": {"_target_": "torch.nn.CrossEntropyLoss", "label_smoothing": 0.0},
        "data": {
            "_target_": f"cnnsweep.data.{job.data}.{job.data}", "batch_size": 64,
            "eval_batch_size": 1000, "val_fraction": 0.1, "train_limit": None, "mean": 0.3,
        },
        "logger": {"_target_": None},
    }  # fmt: skip
    for key, value in job.changes.items():
        *path, last = key.split(".")
        place = tree
        for part in path:
            place = place[part]
        place[last] = value
    return tree


def make_run(folder: Path, job: Job) -> Path:
    """A run folder. ``status="unfinished"`` leaves no result.json."""
    (folder / ".hydra").mkdir(parents=True)
    text = yaml.safe_dump(config(job), sort_keys=False)
    (folder / ".hydra" / "config.yaml").write_text(text)
    hydra = HYDRA.format(mode=job.mode, model=job.model, data=job.data, folder=folder)
    (folder / ".hydra" / "hydra.yaml").write_text(hydra)
    (folder / ".hydra" / "overrides.yaml").write_text(f"- model={job.model}\n- seed={job.seed}\n")
    (folder / "config.yaml").write_text(text)
    (folder / "cnnsweep.log").write_text("epoch 1\n" if job.error is None else f"{job.error}\n")
    rows = _metrics(job)
    _write_csv(folder / "metrics.csv", list(_COLUMNS), rows)
    if job.images:
        header = ["index", "label", "prediction", "confidence"]
        _write_csv(folder / "test_predictions.csv", header, predictions(job))
    if job.status != "unfinished":
        result = _result(job, rows)
        (folder / "result.json").write_text(json.dumps(result, indent=2) + "\n")
    return folder


_COLUMNS = (
    "epoch", "learning_rate", "train_loss", "train_accuracy", "val_loss", "val_accuracy",
    "train_seconds", "images_per_second",
)  # fmt: skip


def _metrics(job: Job) -> list[list[float]]:
    done = {"completed": job.epochs, "failed": min(1, job.epochs)}.get(job.status, job.epochs // 2)
    rows = []
    for epoch in range(1, done + 1):
        accuracy = 0.1 + (job.level() - 0.1) * (1 - math.exp(-1.2 * epoch * 5 / job.epochs))
        seconds = 1.5 + LEVEL.get(job.model, 0.9) + 0.01 * job.seed
        losses = [2.3 - 2.2 * accuracy, 2.35 - 2.2 * accuracy]
        speed = [seconds, 1294 / seconds]
        rows.append([epoch, 0.01, losses[0], accuracy + 0.004, losses[1], accuracy, *speed])
    return rows


def _result(job: Job, rows: list[list[float]]) -> dict[str, Any]:
    last = rows[-1] if rows else [0, None, None, None, None, None, 0.0, None]
    done = job.status == "completed"
    test = job.level() - 0.002 if done and job.test else None
    record = {"hash": job.fingerprint, "classes": ["a", "b"], "train": 9, "val": None, "test": 1}
    data = {} if job.fingerprint is None else {"data": record, "classes": ["a", "b"]}
    says = {} if job.learned is None else {"learned": job.learned}
    return data | says | {
        "status": job.status, "objective": last[5] if done else None, "epochs": len(rows),
        "best_epoch": last[0] or None, "train_loss": last[2], "train_accuracy": last[3],
        "val_loss": last[4], "val_accuracy": last[5],
        "test_loss": None if test is None else 2.4 - 2.2 * test, "test_accuracy": test,
        "parameters": PARAMETERS.get(job.model, 1000),
        "train_seconds": sum(row[6] for row in rows), "images_per_second": last[7],
        "device": "cpu", "precision": "float32", "threads": 1, "seed": job.seed,
        "versions": {"python": "3.11.2", "torch": "2.14.1", "cnnsweep": "0.1.0"},
        "commit": "0c40663", "error": job.error,
    }  # fmt: skip


def predictions(job: Job) -> list[list[float]]:
    """Rows of test_predictions.csv: some images are hard for everybody."""
    labels = random.Random("labels")
    own = random.Random(f"{job.model} {job.seed}")
    rows: list[list[float]] = []
    for index in range(job.images):
        label, hard = labels.randrange(10), labels.random() < 0.02
        right = own.random() < (0.3 if hard else job.level())
        rows.append([index, label, label if right else (label + 1 + 2 * hard) % 10, 0.9])
    return rows


def _write_csv(path: Path, header: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerows([header, *rows])
    path.write_text(text.getvalue())


def make_grid(
    folder: Path, models: Sequence[str], seeds: Sequence[int], **settings: Any
) -> list[Path]:
    """A grid of Hydra's basic sweeper: one numbered job for each model and seed."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "multirun.yaml").write_text("hydra:\n  sweeper:\n    max_batch_size: null\n")
    jobs = [(model, seed) for model in models for seed in seeds]
    return [
        make_run(folder / str(number), Job(model, seed, mode="MULTIRUN", **settings))
        for number, (model, seed) in enumerate(jobs)
    ]
