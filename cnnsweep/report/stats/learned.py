"""Whether a run learned anything, also where the code that left it did not say."""

from collections.abc import Iterable

import numpy as np

from cnnsweep.metric_names import balanced_accuracy, has_learned
from cnnsweep.report.read.predictions import PredictionFiles
from cnnsweep.report.read.run_record import Run


def recall_learned(runs: Iterable[Run], files: PredictionFiles) -> None:
    """Fill in ``learned`` of completed runs from their test predictions where they don't say it.

    It stays None, unknown, for runs without either.
    """
    for run in runs:
        if run.ours and run.status == "completed" and run.learned is None:
            run.learned = _by_predictions(run, files)


def _by_predictions(run: Run, files: PredictionFiles) -> bool | None:
    read = files.get(run)
    if read is None or read.label.min() < 0:
        return None
    images = np.bincount(read.label)
    right = np.bincount(read.label[read.right], minlength=len(images))
    counts = images.tolist()
    return has_learned(balanced_accuracy(right.tolist(), counts), counts)
