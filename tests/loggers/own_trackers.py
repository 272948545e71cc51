"""Loggers and a network as a user might write them, the bad ones included."""

import ctypes
import json
import random
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import nn

from cnnsweep.errors import UserError
from cnnsweep.folders.run_folder import RunFolder
from cnnsweep.loggers.base import Row, RunInfo


class Notebook:
    """Writes down all that it is told, a line each, in ``recorded.jsonl`` of the run folder."""

    def __init__(self, *, run: RunInfo, title: str) -> None:
        self._path = run.folder / "recorded.jsonl"
        self._write("made", [title, run.name, run.config["epochs"]])

    def started(self, history: Sequence[Row]) -> None:
        self._write("started", list(history))

    def epoch_ended(self, row: Row) -> None:
        self._write("epoch_ended", row)

    def ended(self, result: Mapping[str, Any], folder: RunFolder) -> None:
        self._write("ended", [result["status"], folder.curves.exists()])

    def _write(self, word: str, content: Any) -> None:
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps([word, content]) + "\n")


class Quiet:
    """Takes everything; others say what they do instead."""

    def __init__(self, *, folder: Path) -> None:
        self.folder = folder

    def started(self, history: Sequence[Row]) -> None: ...

    def epoch_ended(self, row: Row) -> None: ...

    def ended(self, result: Mapping[str, Any], folder: RunFolder) -> None: ...


class Raising(Quiet):
    def epoch_ended(self, row: Row) -> None:
        raise RuntimeError(f"no room for epoch {row['epoch']}")


class Hanging(Quiet):
    def epoch_ended(self, row: Row) -> None:
        super().epoch_ended(row)
        time.sleep(3600)


class HangingAtOnce(Quiet):
    def __init__(self, *, folder: Path) -> None:
        super().__init__(folder=folder)
        time.sleep(3600)


class Stuck(Quiet):
    """In C code that keeps Python waiting, so that no other thread runs."""

    def epoch_ended(self, row: Row) -> None:
        super().epoch_ended(row)
        ctypes.PyDLL(None).sleep(3600)


class Meddling(Quiet):
    def started(self, history: Sequence[Row]) -> None:
        super().started(history)
        random.seed(1)
        torch.manual_seed(1)
        torch.set_num_threads(2)


class Refusing(Quiet):
    def __init__(self, *, folder: Path) -> None:
        super().__init__(folder=folder)
        raise UserError("logger.own.key=7 is not what I want")


class Fragile(nn.Module):
    """One layer: a ``good`` one, a ``bad`` one that sees nothing, a ``broken`` one that fails."""

    def __init__(
        self, *, in_channels: int, image_size: tuple[int, int], num_classes: int, kind: str
    ) -> None:
        super().__init__()
        self._kind = kind
        self._batches = 0
        self._layer = nn.Linear(in_channels * image_size[0] * image_size[1], num_classes)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """(N, C, H, W) -> (N, classes)"""
        self._batches += self.training
        if self._kind == "broken" and self._batches > 100:
            raise RuntimeError("broken on purpose")
        logits: torch.Tensor = self._layer(images.flatten(1))
        return logits * 0 if self._kind == "bad" else logits
