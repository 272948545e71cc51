"""What makes a made search one whose space, splits and default config are known."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from cnnsweep.folders.sweep_folder import DEFAULT_TRIAL

PARAMS = {
    "optim.lr": "tag(log, interval(1e-4, 1))",
    "optim.momentum": "interval(0, 0.99)",
    "data.batch_size": "choice(32, 64, 128, 256)",
}


def with_space(
    sweep: Path, params: Mapping[str, str] = PARAMS, default: int | None = None, **sweeper: Any
) -> Path:
    """Give a made sweep the space and the default config's trial that a real one records."""
    path = sweep / "multirun.yaml"
    tree = yaml.safe_load(path.read_text())
    tree["hydra"]["sweeper"] |= {"params": dict(params)} | sweeper
    path.write_text(yaml.safe_dump(tree, sort_keys=False))
    results = sweep / "optimization_results.yaml"
    written = yaml.safe_load(results.read_text()) | {DEFAULT_TRIAL: default}
    results.write_text(yaml.safe_dump(written))
    return sweep


def with_images(top: Path, train: int, test: int) -> None:
    """Have every result below a folder record so many images."""
    for path in top.rglob("result.json"):
        result = json.loads(path.read_text())
        data = {"hash": "0" * 32, "classes": ["a", "b"], "train": train, "val": None, "test": test}
        path.write_text(json.dumps(result | {"data": data}))


def set_objective(run: Path, value: float) -> None:
    """Give a run another validation accuracy."""
    path = run / "result.json"
    result = json.loads(path.read_text()) | {"objective": value, "val_accuracy": value}
    path.write_text(json.dumps(result))
