"""Which runs cost the same: their configs agree in all that time and bytes depend on."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from cnnsweep.dotted_keys import is_below
from cnnsweep.folders.run_folder import comparable
from cnnsweep.sweep.estimate.costs import Kind

BATCH = "data.batch_size"
# Numbers that a step computes with, whatever they are; and what has a line of its own.
_INDIFFERENT = (
    "seed", "epochs", "objective", "early_stopping", "grad_clip", "init_from", "l1",
    "scheduler", "loss", "optim", "test", "pictures", "hydra", "data.mean", "data.std", "threads",
    "device", "precision",
    "model.dropout", "model.init",
)  # fmt: skip
_ALIKE = tuple(
    key for key in _INDIFFERENT if key not in ("epochs", "threads", "device", "precision")
)
_TELLING = ("optim._target_", "loss._target_", "optim.fused")


def are_alike(varied: Iterable[str]) -> bool:
    """Whether runs that differ in these keys alone cost the same, but for their batch size."""
    return all(key == BATCH or (key not in _TELLING and is_below(key, _ALIKE)) for key in varied)


def kind_of(config: Mapping[str, Any], device: object, precision: object, threads: object) -> Kind:
    """The kind of a run with a resolved config, on what it computes or has computed."""
    leaves = comparable(config)
    told = {
        key: value
        for key, value in leaves.items()
        if key != BATCH and (key in _TELLING or not is_below(key, _INDIFFERENT))
    }
    where = {"device": str(device).partition(":")[0], "precision": precision, "threads": threads}
    family = json.dumps([told, where], sort_keys=True, default=str)
    batch = leaves.get(BATCH)
    return Kind(family, batch if isinstance(batch, int) else None)
