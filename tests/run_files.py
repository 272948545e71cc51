"""What a run left, without what may differ between two runs of one config."""

import csv
import json
from hashlib import blake2b
from pathlib import Path
from typing import Any

import torch

TIMES = ("train_seconds", "images_per_second", "started", "ended")


def metrics(folder: Path) -> list[dict[str, str]]:
    """The lines of metrics.csv without the time columns."""
    with (folder / "metrics.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    return [{k: v for k, v in row.items() if k not in TIMES} for row in rows]


def result(folder: Path) -> dict[str, Any]:
    """result.json without times, and without the command, which says how the run was typed."""
    content: dict[str, Any] = json.loads((folder / "result.json").read_text())
    return {k: v for k, v in content.items() if k not in (*TIMES, "command")}


def tensors(path: Path) -> dict[str, bytes]:
    """Every tensor of a checkpoint by its place, as bytes."""
    return dict(_tensors(torch.load(path, map_location="cpu", weights_only=True), ""))


def _tensors(node: Any, place: str) -> list[tuple[str, bytes]]:
    if isinstance(node, torch.Tensor):
        return [(place, node.contiguous().numpy().tobytes())]
    if isinstance(node, dict):
        return [pair for key, value in node.items() for pair in _tensors(value, f"{place}/{key}")]
    if isinstance(node, list):
        return [pair for i, value in enumerate(node) for pair in _tensors(value, f"{place}/{i}")]
    return []


def assert_same(one: Path, other: Path) -> None:
    """Both folders hold the same bytes, time columns aside."""
    assert metrics(one) == metrics(other)
    assert result(one) == result(other)
    for name in ("best.pt", "last.pt"):
        found = tensors(one / name)
        assert found
        assert found == tensors(other / name)
    predictions = "test_predictions.csv"
    assert (one / predictions).read_bytes() == (other / predictions).read_bytes()


def tree(folder: Path) -> dict[str, object]:
    """Everything below a folder, with its times of change and its bytes."""
    return {
        str(path.relative_to(folder)): (
            path.lstat().st_mtime_ns,
            blake2b(path.read_bytes()).hexdigest() if path.is_file() else None,
        )
        for path in [folder, *folder.rglob("*")]
    }
