"""Functions of settings for comparing samplers; smaller is better."""

import csv
import math
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, NamedTuple

import numpy as np
from optuna.distributions import CategoricalDistribution, FloatDistribution
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import ConstantKernel, Matern, WhiteKernel

from benchmarks.rows import RESULTS
from cnnsweep.sweep.spec.samplers import Space

RECORDED = RESULTS / "settings" / "mnist_relu.csv"  # of what benchmarks/curves records
LR, MOMENTUM, BATCH = "optim.lr", "optim.momentum", "data.batch_size"
SGD: Space = {  # as in conf/search/sgd.yaml
    LR: FloatDistribution(1e-4, 1, log=True),
    MOMENTUM: FloatDistribution(0, 0.99),
    BATCH: CategoricalDistribution((16, 32, 64, 128, 256)),
}


class Task(NamedTuple):
    """A space and the value of each of its points."""

    space: Space
    value: Callable[[Mapping[str, Any]], float]


def coupled(point: Mapping[str, Any]) -> float:
    """Settings of SGD whose step counts, lr / (1 - momentum) / batch size; 0 at its best.

    A long valley, as of SGD where learning rate, momentum and batch size make up for one another,
    with a weak slope along it to a momentum of 0.9 and a batch of 32.
    """
    step = math.log10(point[LR] / (1 - point[MOMENTUM]) * 64 / point[BATCH])
    along = 0.1 * (point[MOMENTUM] - 0.9) ** 2 + 0.005 * math.log2(point[BATCH] / 32) ** 2
    return (step + 1) ** 2 + along


_HEIGHTS = np.array([1.0, 1.2, 3.0, 3.2])
_WIDTHS = np.array(
    [
        [10, 3, 17, 3.5, 1.7, 8],
        [0.05, 10, 17, 0.1, 8, 14],
        [3, 3.5, 1.7, 10, 17, 8],
        [17, 8, 0.05, 10, 0.1, 14],
    ]
)
_CENTRES = 1e-4 * np.array(
    [
        [1312, 1696, 5569, 124, 8283, 5886],
        [2329, 4135, 8307, 3736, 1004, 9991],
        [2348, 1451, 3522, 2883, 3047, 6650],
        [4047, 8828, 8732, 5743, 1091, 381],
    ]
)


def hartmann(point: Mapping[str, Any]) -> float:
    """Hartmann's function of six numbers in 0..1; -3.3224 at its best."""
    apart = (np.array([point[f"x{i}"] for i in range(6)]) - _CENTRES) ** 2
    return -float((_HEIGHTS * np.exp(-(_WIDTHS * apart).sum(axis=1))).sum())


def recorded(point: Mapping[str, Any]) -> float:
    """The validation error that recorded runs let expect of settings of SGD.

    A Gaussian process fitted to log10 of the errors of random settings.
    """
    (expected,) = _surrogate().predict([_features(point)])
    return float(10**expected)


@cache
def _surrogate() -> GaussianProcessRegressor:
    with RECORDED.open() as file:
        rows = list(csv.DictReader(line for line in file if not line.startswith("#")))
    points = [{key: float(row[key]) for key in (LR, MOMENTUM, BATCH)} for row in rows]
    errors = [1 - float(row["val_accuracy"]) for row in rows]
    kernel = ConstantKernel() * Matern([1, 0.3, 3, 1], nu=2.5) + WhiteKernel(0.01)
    model = GaussianProcessRegressor(
        kernel, normalize_y=True, n_restarts_optimizer=2, random_state=0
    )
    return model.fit([_features(point) for point in points], np.log10(errors))


def _features(point: Mapping[str, Any]) -> list[float]:
    lr, momentum, batch = (
        math.log10(point[LR]),
        point[MOMENTUM],
        math.log2(point[BATCH]),
    )
    return [lr, momentum, batch, math.log10(point[LR] / (1 - momentum) / point[BATCH])]


TASKS = {
    "coupled": Task(SGD, coupled),
    "hartmann": Task({f"x{i}": FloatDistribution(0, 1) for i in range(6)}, hartmann),
    "recorded": Task(SGD, recorded),
}
