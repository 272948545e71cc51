"""Candidates take turns, and are compared with networks that train alone."""

from time import perf_counter

import torch
from torch import Tensor

from benchmarks.peak import synchronise
from benchmarks.stacking_candidates.lone import OneAfterAnother
from benchmarks.stacking_candidates.own import OwnRuns
from benchmarks.stacking_candidates.setting import Candidate, Setting


class Turns:
    """A candidate's turns, each of about ``seconds``; ``rates`` are steps a second of a network."""

    def __init__(
        self, candidate: Candidate, setting: Setting, *, steps: int, seconds: float
    ) -> None:
        """``steps`` are trained to find out how many a turn has."""
        self._candidate, self._device = candidate, setting.case.device
        self._steps = steps
        self.rates: list[float] = []
        self._steps = max(1, round(self._rate() * seconds))

    def take(self) -> None:
        self.rates.append(self._rate())

    def _rate(self) -> float:
        synchronise(self._device)
        started = perf_counter()
        steps = self._candidate.run(self._steps)
        synchronise(self._device)
        return steps / (perf_counter() - started)


def losses_alone(setting: Setting, steps: int) -> Tensor:
    """What lone eager networks' losses sum to, (K); in the layout that sums most exactly."""
    lone = OneAfterAnother(setting, graph=False, layout=torch.contiguous_format)
    lone.run(steps)
    return lone.losses().clone()


def losses_of_lone_runs(setting: Setting, steps: int) -> Tensor:
    """The same of the first and last of cnnsweep's eager runs; NaN between, where none is asked."""
    losses = torch.full((setting.stack,), float("nan"))
    asked = sorted({0, setting.stack - 1})
    alone = OwnRuns(setting, together=False, graph=False, numbers=asked)
    alone.run(steps)
    losses[asked] = alone.losses()
    return losses


def difference(candidate: Candidate, steps: int, expected: Tensor) -> float:
    """The largest one of the networks' mean loss over so many steps; they are trained for it."""
    trained = candidate.run(steps)
    away = (candidate.losses() - expected).abs() / trained
    return float(away[~expected.isnan()].max())
