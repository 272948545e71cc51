"""Quasi-Monte Carlo points by trial number."""

from typing import Any

from optuna.distributions import BaseDistribution
from optuna.samplers import QMCSampler
from optuna.study import Study
from optuna.trial import FrozenTrial


class NumberedPoints(QMCSampler):
    """Trial k gets point k of the sequence.

    Optuna counts the points in the study instead, so a proposal that was interrupted and made
    again would skip one. Point 0, a corner of the space, belongs to the default config.
    """

    def sample_relative(
        self, study: Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        self._trial_number = trial.number
        return super().sample_relative(study, trial, search_space)

    def _find_sample_id(self, *_: Any) -> int:
        return self._trial_number
