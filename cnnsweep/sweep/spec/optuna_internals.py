"""All that is used of the private names of Optuna and of Hydra's sweeper for it.

A release may change them without a word; ``tests/sweep/spec/test_optuna_internals.py`` says of
each what breaks then.
"""

import copy
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from hydra.core.override_parser.types import Override
from hydra_plugins.hydra_optuna_sweeper._impl import (
    OptunaSweeperImpl,
    create_optuna_distribution_from_override,
)
from optuna.distributions import BaseDistribution
from optuna.samplers import BaseGASampler, BaseSampler, QMCSampler
from optuna.storages import BaseStorage
from optuna.storages.journal._file import BaseJournalFileLock
from optuna.study import Study
from optuna.trial import FrozenTrial, Trial

# What a journal is written under; public are only locks that leave files behind on a SIGKILL.
JournalFileLock = BaseJournalFileLock


def storage_of(study: Study) -> BaseStorage:
    """The storage, for attributes of stored trials: a study itself writes only its own."""
    return study._storage


def study_id(study: Study) -> int:
    """The study's key in its storage, without asking the storage by name."""
    return study._study_id


def study_attributes(study: Study) -> Mapping[str, Any]:
    """The study's attributes, to be read only: ``Study.user_attrs`` copies all that is in them."""
    return study._storage.get_study_user_attrs(study._study_id)


def together(study: Study) -> AbstractContextManager[None]:
    """A block whose writes go to the disk at its end, where the storage is a journal of ours."""
    write = getattr(study._storage, "together", None)
    return nullcontext() if write is None else write()


def trial_id(trial: FrozenTrial | Trial) -> int:
    """The trial's key in its storage; its public number counts within the study."""
    return trial._trial_id


def get_trial(study: Study, number: int) -> FrozenTrial:
    """One trial as stored; ``Study.get_trials`` reads them all."""
    storage = study._storage
    return storage.get_trial(
        storage.get_trial_id_from_study_id_trial_number(study._study_id, number)
    )


def with_storage(study: Study, storage: Any) -> Study:
    """The same study by way of another storage; public is only to load it anew."""
    other = copy.copy(study)
    other._storage = storage
    return other


def reopened(study: Study, trial: FrozenTrial) -> Trial:
    """A running trial as it was just asked for; ``Study.ask`` opens new and waiting trials only."""
    study._thread_local.cached_all_trials = None  # as ask does: samplers see the trials of now
    return Trial(study, trial._trial_id)


def draw_into(trial: Trial, storage: Any) -> None:
    """Have a trial draw all its parameters, again where it has some, and write to ``storage``."""
    draft = copy.copy(trial._cached_frozen_trial)  # which some storages hold as their own
    draft.params, draft.distributions = {}, {}
    trial._cached_frozen_trial = draft
    trial.storage = storage


def draw(trial: Trial, name: str, distribution: BaseDistribution) -> Any:
    """Draw a parameter; the public ``suggest_...`` take a distribution's parts, each its kind's."""
    return trial._suggest(name, distribution)


def allow_stop(study: Study) -> None:
    """Let samplers that run out of points say so by Study.stop, though no ``optimize`` runs."""
    study._thread_local.in_optimize_loop = True


def was_stopped(study: Study) -> bool:
    """Whether Study.stop was called; publicly its only effect is that ``optimize`` ends."""
    return study._stop_flag


def distribution_of(override: Override) -> BaseDistribution:
    """What a sweep override spans, as Hydra's own sweeper reads it; that one keeps it to itself.

    Raises:
        ValueError, NotImplementedError: it spans nothing that Optuna can draw from.
    """
    distribution: BaseDistribution = create_optuna_distribution_from_override(override)
    return distribution


def grid_values(distribution: BaseDistribution) -> list[Any]:
    """A parameter's points on a grid, as Hydra's own sweeper lays it.

    Raises:
        ValueError: the distribution has no steps.
    """
    return list(OptunaSweeperImpl._to_grid_sampler_choices(distribution))


def as_first_generation(sampler: BaseSampler) -> dict[str, Any]:
    """System attributes of a trial that a genetic sampler is to take for one of its first.

    Others need none.
    """
    if not isinstance(sampler, BaseGASampler):
        return {}
    return {sampler._get_generation_key(): 0}


def numbered(trial: FrozenTrial, number: int) -> FrozenTrial:
    """A trial that is in no study with a number of its own, by which samplers tell it."""
    trial.number, trial._trial_id = number, number
    return trial


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
