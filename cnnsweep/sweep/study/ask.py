"""Asking a study for its next trial, so that a call that was interrupted can be made again."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from omegaconf import DictConfig
from optuna.distributions import BaseDistribution
from optuna.samplers import BaseGASampler
from optuna.storages import BaseStorage
from optuna.study import Study
from optuna.trial import FrozenTrial, Trial, TrialState

from cnnsweep.sweep.spec.optuna_internals import draw, get_trial, reopened, storage_of
from cnnsweep.sweep.spec.samplers import Sampling, Space

FOLDER = "folder"  # the trial attribute that says that all its parameters are drawn


@dataclass
class Asker:
    """Asks a study for trials. Call inside `coordination.turn()`: other hosts may ask too.

    ``extend`` is the user's custom_search_space, called with the config and each new trial.
    """

    study: Study
    sampling: Sampling
    space: Space
    extend: Callable[[DictConfig, Trial], None] | None
    config: DictConfig

    def ask(self) -> FrozenTrial:
        """The next trial, its parameters drawn."""
        self.study.sampler = self.sampling.sampler_for(self._next_number())
        return self._complete(self.study.ask())

    def ask_again(self, trial: FrozenTrial) -> FrozenTrial:
        """Draw all parameters of a trial again whose asking was interrupted.

        A draw depends on those before it, so those that were stored already come out the same.
        """
        self.study.sampler = self.sampling.sampler_for(trial.number)
        return self._complete(reopened(self.study, trial, _WriteOnce(storage_of(self.study))))

    def _next_number(self) -> int:
        trials = self.study.get_trials(deepcopy=False)
        waiting = [t.number for t in trials if t.state is TrialState.WAITING]
        return waiting[0] if waiting else len(trials)

    def _complete(self, trial: Trial) -> FrozenTrial:
        self._settle_parents(trial)
        for name, distribution in self.space.items():
            draw(trial, name, distribution)
        if self.extend is not None:
            self.extend(self.config, trial)
        trial.set_user_attr(FOLDER, str(trial.number))
        return get_trial(self.study, trial.number)

    def _settle_parents(self, trial: Trial) -> None:
        """Choose a generation's parents before drawing, so that they are always read back.

        Genetic samplers read them back in another order than they choose them in.
        """
        sampler = self.study.sampler
        if isinstance(sampler, BaseGASampler):
            stored = get_trial(self.study, trial.number)
            generation = sampler.get_trial_generation(self.study, stored)
            sampler.get_parent_population(self.study, generation)


class _WriteOnce:
    """A storage that keeps the parameters it has: databases refuse to write one twice."""

    def __init__(self, storage: BaseStorage) -> None:
        self._storage = storage

    def __getattr__(self, name: str) -> Any:
        return getattr(self._storage, name)

    def set_trial_param(
        self, trial_id: int, name: str, value: float, distribution: BaseDistribution
    ) -> None:
        if name not in self._storage.get_trial(trial_id).params:
            self._storage.set_trial_param(trial_id, name, value, distribution)
