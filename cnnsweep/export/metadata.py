"""What a file without its run folder should still tell."""

from typing import Any

import torch

from cnnsweep import __version__
from cnnsweep.export.formats import BATCH, INPUT, OUTPUT
from cnnsweep.task.load_model import LoadedModel

_FIGURES = ("status", "seed", "precision", "val_accuracy", "test_accuracy", "commit", "versions")


def describe(trained: LoadedModel) -> dict[str, Any]:
    """Input, output, classes and origin, as plain values.

    Figures that the run folder does not tell are None: a run that is not over has no result.json.
    """
    result = trained.folder.read_result() or {}
    return {
        "input": {
            "name": INPUT,
            "dtype": "uint8",
            "shape": [BATCH, trained.in_channels, *trained.image_size],
            "means": "pixels 0..255 by image, channel (grey, or red, green, blue), row, column; "
            "nothing is to be done to them",
        },
        "output": {
            "name": OUTPUT,
            "dtype": "float32",
            "shape": [BATCH, len(trained.classes)],
            "means": "how likely each class is, 0..1",
        },
        "classes": list(trained.classes),
        "model": trained.config.model._target_,
        "data": trained.config.data._target_,
        "run_folder": str(trained.folder),
        "epoch": trained.epoch,
        **{name: result.get(name) for name in _FIGURES},
        "exported_with": {"torch": torch.__version__, "cnnsweep": __version__},
    }
