"""Whether networks know how sure they are: confidence against being right, on the test images.

Guo et al. 2017 ("On calibration of modern neural networks"): the expected calibration error is the
mean over the images of how far accuracy is from mean confidence, in bins of equal width.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import fmean

import numpy as np
import numpy.typing as npt

from cnnsweep.report.answer.block import Block
from cnnsweep.report.answer.group_predictions import predictions_of, shown_groups
from cnnsweep.report.read.predictions import PredictionFiles
from cnnsweep.report.read.run_record import Run
from cnnsweep.report.stats.grouping import Group, Grouping
from cnnsweep.report.stats.intervals import half_width, mean_deviation

BINS = 15
_PLAIN_LOSS = "torch.nn.CrossEntropyLoss"
Array = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Calibration:
    """Of one group, from its runs with confidences. All values are shares, from 0 to 1.

    ``errors``, ``confidences`` and ``accuracies`` have a value for each of these runs;
    ``log_losses`` one for each completed run of the group, none where the loss is another.
    """

    label: str
    alike: bool
    total: int  # runs of the group
    images: int
    errors: list[float]
    confidences: list[float]
    accuracies: list[float]
    log_losses: list[float]
    loss: str  # what test_loss is
    curve: tuple[Array, Array, Array]  # of the bins with images: confidence, accuracy, images


def calibration(grouping: Grouping, files: PredictionFiles) -> list[Calibration]:
    """Of the best groups that have recorded confidences; up to five runs of each are read."""
    found = (_of_group(group, files) for group in shown_groups(grouping))
    return [one for one in found if one is not None]


def _of_group(group: Group, files: PredictionFiles) -> Calibration | None:
    sure = [(p.confidence, p.right) for _, p in predictions_of(group.runs, files)]
    known = [(confidence, right) for confidence, right in sure if confidence is not None]
    if not known:
        return None
    loss, losses = _log_losses(group.runs)
    pooled = np.concatenate([c for c, _ in known]), np.concatenate([r for _, r in known])
    return Calibration(
        label=group.label + group.where,
        alike=group.is_sound and group.nested is None,
        total=len(group.runs),
        images=len(known[0][0]),
        errors=[calibration_error(*reliability(*one)) for one in known],
        confidences=[float(confidence.mean()) for confidence, _ in known],
        accuracies=[float(right.mean()) for _, right in known],
        log_losses=losses,
        loss=loss,
        curve=reliability(*pooled),
    )


def reliability(confidence: Array, right: npt.NDArray[np.bool_]) -> tuple[Array, Array, Array]:
    """Mean confidence, accuracy and number of images of each bin of equal width that has some.

    It is scikit-learn's ``calibration_curve`` with the numbers beside it (a test compares them),
    without the second that its import takes; a bin has its upper end in it.
    """
    place = np.searchsorted(np.linspace(0, 1, BINS + 1)[1:-1], confidence)
    images = np.bincount(place, minlength=BINS)
    sums = [np.bincount(place, weights=w, minlength=BINS) for w in (confidence, right)]
    some = images > 0
    return sums[0][some] / images[some], sums[1][some] / images[some], images[some].astype(float)


def calibration_error(confidence: Array, accuracy: Array, images: Array) -> float:
    """The expected calibration error of a reliability curve."""
    return float((images * np.abs(accuracy - confidence)).sum() / images.sum())


def _log_losses(runs: Sequence[Run]) -> tuple[str, list[float]]:
    """What the test loss is, and its values where that is the log loss."""
    loss = ", ".join(sorted({_loss(run) for run in runs}))
    values = [run.metric("test_loss") for run in runs] if loss == _PLAIN_LOSS else []
    return loss, [value for value in values if value is not None]


def _loss(run: Run) -> str:
    """The loss by name, with what keeps it from being the log loss."""
    name = str(run.config.get("loss._target_") or "unknown")
    smoothing, weight = (run.config.get(f"loss.{key}") for key in ("label_smoothing", "weight"))
    weighted = weight is not None or any(key.startswith("loss.weight.") for key in run.config)
    told = [f"label_smoothing={smoothing}"] if smoothing else []
    told += ["with weights"] if weighted else []
    return " ".join([name, *told])


def calibration_blocks(found: Sequence[Calibration]) -> Iterator[Block]:
    """A table, which the page folds; nothing where no run recorded a confidence."""
    if not found:
        return
    columns = ("group", "n", "confidence − accuracy", "calibration error", "log loss")
    caption = (
        "Test images. Confidence: the probability of the predicted class; minus accuracy, in "
        f"points: above 0 too sure, below 0 not sure enough. Calibration error: expected "
        f"calibration error in points, {BINS} bins of equal width, weighted by their images (Guo "
        "et al. 2017). Means over n runs; ± is half of the 95 % interval of the mean (three runs "
        "or more that differ in their seeds alone)."
    )
    others = sorted({one.loss for one in found if not one.log_losses and one.loss != _PLAIN_LOSS})
    if others:
        caption += f" No log loss: test_loss is that of {'; '.join(others)}."
    rows = [_row(one) for one in found]
    yield Block("Calibration", columns=columns, rows=rows, caption=caption, is_detail=True)


def _row(one: Calibration) -> list[str]:
    gaps = [100 * (c - a) for c, a in zip(one.confidences, one.accuracies, strict=True)]
    errors = [100 * error for error in one.errors]
    n = f"{len(errors)}" + (f" of {one.total}" if len(errors) < one.total else "")
    told = ((gaps, "+.2f"), (errors, ".2f"), (one.log_losses, ".4f"))
    return [one.label, n, *(_mean(values, digits, one.alike) for values, digits in told)]


def _mean(values: Sequence[float], digits: str, alike: bool) -> str:
    if not values:
        return "–"
    half = half_width(mean_deviation(values)[1], len(values)) if alike else None
    return f"{fmean(values):{digits}}" + ("" if half is None else f" ± {half:{digits[-3:]}}")
