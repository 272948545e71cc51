"""Training epoch by epoch, with a state that can be saved and loaded to resume.

Each epoch draws from generators seeded by (seed, epoch) alone, so an epoch comes out the same
whether or not its process trained the epochs before it.
"""

import hashlib
import math
import random
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor, nn

from cnnsweep import epoch_reporter
from cnnsweep.metric_names import METRICS_COLUMNS
from cnnsweep.training.early_stopping import Row, Score
from cnnsweep.training.epoch import EpochMetrics, OnBatch, Split, run_epoch
from cnnsweep.training.optimizer_step import OptimizerStep


def seed_everything(seed: int, purpose: str) -> None:
    """Seed Python's, NumPy's and torch's generators (all devices) for one purpose of a run."""
    number = seed_for(seed, purpose)
    random.seed(number)
    np.random.seed(number % 2**32)
    torch.manual_seed(number)


def seed_for(seed: int, purpose: str) -> int:
    """The number below 2^64 that generators are seeded with for one purpose of a run."""
    digest = hashlib.sha256(f"{seed}/{purpose}".encode()).digest()
    return int.from_bytes(digest[:8], "big")


class Diverged(ArithmeticError):
    """The loss became NaN or infinite; the message says when, and what to try."""


@dataclass(frozen=True)
class Family:
    """Runs with equal keys, none of which must train alone, can be trained as one computation.

    ``why_alone`` is the reason, in words, why a run cannot; None: it can.
    """

    key: str
    why_alone: str | None


class TrainingPass(Protocol):
    """Trains an epoch in another way; ``why_eager`` says why it cannot any more, None: it can."""

    why_eager: str | None

    def run(self, on_batch: OnBatch | None) -> EpochMetrics:
        """Go over the training split as :func:`run_epoch` does, moving the weights."""

    def close(self) -> None:
        """Give back the memory that only training needs."""


Passes = tuple[EpochMetrics, EpochMetrics | None]  # of training, and of validation


@dataclass
class Trainer:
    """The parts of a training run, and ``history``: a row of metrics for each trained epoch.

    ``answers`` is what is evaluated: the model, or a module around it. ``prepare`` puts the model,
    except for frozen parts, into training mode. ``find_family`` says with which other runs an
    epoch may be trained; ``trained_with`` is the largest number of them, itself included, that one
    was. ``graphed`` trains the epochs instead of a loop of eager steps, as long as it can.
    """

    model: nn.Module
    answers: nn.Module
    step: OptimizerStep
    score: Score
    loss: Callable[[Tensor, Tensor], Tensor]
    train: Split
    val: Split | None
    cast: AbstractContextManager[Any]
    prepare: Callable[[nn.Module], object]
    seed: int
    epochs: int
    find_family: Callable[[], Family]
    trained_with: int = 1
    graphed: TrainingPass | None = None
    history: list[Row] = field(default_factory=list)

    @cached_property
    def family(self) -> Family:
        """What ``find_family`` finds; only stacks ask for it, and it takes milliseconds."""
        return self.find_family()

    @property
    def is_finished(self) -> bool:
        return len(self.history) >= self.epochs or self.score.is_out_of_patience

    def train_epoch(self, on_batch: OnBatch | None) -> Row:
        """Train and validate one epoch; its row of metrics is for :meth:`record`.

        Raises:
            Diverged: a loss is NaN or infinite.
        """
        epoch = self.next_epoch
        learning_rate = float(self.step.optimizer.param_groups[0]["lr"])
        together = epoch_reporter.together
        shared: Passes | None = None if together is None else together(self)
        trained, validated = self.passes(on_batch) if shared is None else shared
        _check_finite("training", trained.loss, epoch, learning_rate)
        val_loss = val_accuracy = val_balanced_accuracy = None
        if validated is not None:
            _check_finite("validation", validated.loss, epoch, learning_rate)
            val_loss, val_accuracy = validated.loss, validated.accuracy
            val_balanced_accuracy = validated.balanced_accuracy
        self.step.schedule.epoch_ended(trained.loss if val_loss is None else val_loss)
        return {
            "epoch": epoch,
            "learning_rate": learning_rate,
            "train_loss": trained.loss,
            "train_accuracy": trained.accuracy,
            "val_loss": val_loss,
            "val_accuracy": val_accuracy,
            "train_seconds": round(trained.seconds, 6),
            "images_per_second": round(trained.images / trained.seconds, 2),
            "val_balanced_accuracy": val_balanced_accuracy,
        }

    def passes(self, on_batch: OnBatch | None) -> Passes:
        """Go over the training split, moving the weights, then over the validation split."""
        self.seed_epoch()
        self.prepare(self.model)
        if self.graphed is None or self.graphed.why_eager is not None:
            trained = run_epoch(self.model, self.train, self.loss, self.cast, self.step, on_batch)
        else:
            trained = self.graphed.run(on_batch)
        if self.val is None or not math.isfinite(trained.loss):
            return trained, None
        self.answers.eval()
        return trained, run_epoch(self.answers, self.val, self.loss, self.cast)

    def close(self) -> None:
        """Training is over: give back the memory that nothing else needs."""
        if self.graphed is not None:
            self.graphed.close()

    @property
    def next_epoch(self) -> int:
        """The number of the epoch that comes next, from 1."""
        return len(self.history) + 1

    def seed_epoch(self) -> None:
        """Seed the generators, from which the next epoch draws order, augmentation and dropout."""
        seed_everything(self.seed, self._purpose)

    @property
    def epoch_seed(self) -> int:
        """What `seed_epoch` seeds torch's generators with."""
        return seed_for(self.seed, self._purpose)

    @property
    def _purpose(self) -> str:
        return f"epoch {self.next_epoch}"

    def record(self, row: Row) -> bool:
        """Add an epoch to the history; returns whether it is the best so far."""
        self.history.append(row)
        return self.score.epoch_ended(row)

    def state_dict(self) -> dict[str, Any]:
        """All that the next epoch depends on. Generators need none: they are seeded anew."""
        return {
            "model": self.model.state_dict(),
            "optimizer": self.step.optimizer.state_dict(),
            "schedule": self.step.schedule.state_dict(),
            "score": self.score.state_dict(),
            "generators": {"seed": self.seed, "next_epoch": self.next_epoch},
            "history": [dict(row) for row in self.history],
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Resume from a state that the same config saved."""
        self.model.load_state_dict(state["model"])
        self.step.optimizer.load_state_dict(state["optimizer"])
        self.step.schedule.load_state_dict(state["schedule"])
        self.score.load_state_dict(state["score"])
        none = dict.fromkeys(METRICS_COLUMNS)  # what older code did not measure
        self.history = [none | row for row in state["history"]]


def _check_finite(which: str, loss: float, epoch: int, learning_rate: float) -> None:
    if not math.isfinite(loss):
        raise Diverged(
            f"the {which} loss became {loss} in epoch {epoch} at learning rate {learning_rate:g}; "
            "try a smaller optim.lr, grad_clip=1 or a warm-up (scheduler=warmup_cosine)"
        )
