"""Asking a study for its next trial, so that a call that was interrupted can be made again."""

from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Protocol

from omegaconf import DictConfig
from optuna.distributions import BaseDistribution
from optuna.samplers import BaseGASampler, RandomSampler
from optuna.storages import BaseStorage
from optuna.study import Study
from optuna.trial import FrozenTrial, Trial, TrialState

from cnnsweep.sweep.freeze_thaw.known import Knowledge, known
from cnnsweep.sweep.journal.storage_view import StorageView
from cnnsweep.sweep.journal.tried import Tried, number_of_begun, number_of_trials
from cnnsweep.sweep.spec.optuna_internals import (
    draw,
    draw_into,
    get_trial,
    reopened,
    storage_of,
    study_attributes,
    together,
    trial_id,
)
from cnnsweep.sweep.spec.plan import FOLDER
from cnnsweep.sweep.spec.samplers import Sampling, Space
from cnnsweep.sweep.spec.space.conditions import holds
from cnnsweep.sweep.spec.space.points import Conditions, as_meant, identity, listed
from cnnsweep.sweep.spec.space.search_space import SearchSpace

Drawn = dict[str, tuple[float, BaseDistribution]]  # parameters as a storage keeps them
EXHAUSTED = "exhausted"  # the study attribute that says that there are no more points
MOST_DRAWS = 10  # by the sampler, for a point that was not tried
MOST_RANDOM_DRAWS = 1000  # by chance, where the points cannot be listed


class TrialSource(Protocol):
    """What a search needs of whoever says what its trials are."""

    @property
    def goes_through(self) -> bool: ...
    @property
    def takes_every_point(self) -> bool: ...
    def ask(self) -> FrozenTrial: ...
    def ask_again(self, trial: FrozenTrial) -> FrozenTrial: ...
    def trials_in_all(self) -> int: ...
    def is_gone_through(self) -> bool: ...
    def has_all_trials(self) -> bool: ...


@dataclass
class Asker:
    """Asks a study for trials. Call inside `coordination.turn()`: other hosts may ask too.

    A point is proposed once: one that equals another trial's, whatever became of it, is drawn anew.
    What a person enqueued and the grid sampler's points stay as they are.

    ``extend`` is the user's custom_search_space, called with the config and each new trial, and
    again for each draw. ``wanted`` trials are asked for, or ``points`` where the space has fewer
    (None: nobody knows how many); where every point will be tried, chance decides on their order.
    ``earlier`` are trials of earlier sweeps, which the samplers know; in a space without end their
    points are not proposed either.
    A parameter of ``space`` that has one of ``conditions`` comes after those that it names.
    """

    study: Study
    sampling: Sampling
    space: Space
    extend: Callable[[DictConfig, Trial], None] | None
    config: DictConfig
    wanted: int
    points: int | None
    conditions: Conditions = field(default_factory=dict)
    earlier: Sequence[FrozenTrial] = ()

    def __post_init__(self) -> None:
        known = [trial.params for trial in self.earlier if self.points is None]
        self._tried = Tried(self.study, frozenset(map(identity, known)))
        space = SearchSpace(self.space, (), conditions=self.conditions)
        self._knowledge = Knowledge(self.earlier, space if self.extend is None else None)

    def ask(self) -> FrozenTrial:
        """The next trial, its parameters drawn; it lacks FOLDER where no new point was found."""
        self.study.sampler = self.sampling.sampler_for(self._next_number())
        # A user's function may take its time, and others wait meanwhile.
        with together(self.study) if self.extend is None else nullcontext():
            return self._complete(known(self.study, knowledge=self._knowledge).ask())

    def ask_again(self, trial: FrozenTrial) -> FrozenTrial:
        """Draw all parameters of a trial again whose asking was interrupted.

        A draw depends on those before it, so those that were stored already come out the same.
        """
        return self._complete(self._opened(trial, attempt=0))

    def trials_in_all(self) -> int:
        """How many trials the study will have."""
        if not self.goes_through:
            return self.wanted
        return min(self.wanted, max(self.points or 0, number_of_begun(self.study)))

    def is_gone_through(self) -> bool:
        """Whether no point is left to try."""
        if self.points is None or number_of_trials(self.study) < self.points:
            return EXHAUSTED in study_attributes(self.study)
        return self._untried(self._tried.now()) == []

    def has_all_trials(self) -> bool:
        """Whether nothing is left to ask for."""
        return number_of_begun(self.study) >= self.wanted or self.is_gone_through()

    @property
    def goes_through(self) -> bool:
        """Whether there are trials enough for every point of the space."""
        return self.points is not None and self.points <= self.wanted

    @property
    def takes_every_point(self) -> bool:
        """Whether every point is tried, so that no trial depends on what came of others."""
        return self.goes_through or self.sampling.is_grid

    def _next_number(self) -> int:
        waiting = self.study.get_trials(deepcopy=False, states=(TrialState.WAITING,))
        return waiting[0].number if waiting else number_of_trials(self.study)

    def _opened(self, trial: FrozenTrial, attempt: int) -> Trial:
        """A trial as just asked for, with another sampler for each attempt."""
        self.study.sampler = self.sampling.sampler_for(trial.number, attempt)
        return reopened(known(self.study, trial.number, self._knowledge), trial)

    def _complete(self, trial: Trial) -> FrozenTrial:
        stored = get_trial(self.study, trial.number)
        is_settled = self.sampling.is_grid and not self.conditions
        if "fixed_params" in stored.system_attrs or is_settled:
            drawn: Drawn | None = self._draw(trial)
        else:
            drawn = self._new_point(trial, stored)
        if drawn is not None:
            storage = storage_of(self.study)
            for name, (value, distribution) in drawn.items():
                if name not in stored.params:  # databases refuse to write one twice
                    storage.set_trial_param(trial_id(stored), name, value, distribution)
            storage.set_trial_user_attr(trial_id(stored), FOLDER, str(trial.number))
        return get_trial(self.study, trial.number)

    def _new_point(self, trial: Trial, stored: FrozenTrial) -> Drawn | None:
        """Parameters that no other trial has; None where none were found."""
        is_tried = self._tried.now(but=trial.number)
        chance = self.sampling.random(trial.number, MOST_DRAWS)
        for attempt in range(0 if self.takes_every_point else MOST_DRAWS):
            drawn = self._draw(trial if attempt == 0 else self._opened(stored, attempt))
            if not is_tried(_identity(drawn)):
                return drawn
        left = self._untried(is_tried) if self.extend is None else None
        if left is not None:
            return self._at(chance.choice(left)) if left else None
        for _ in range(MOST_RANDOM_DRAWS):
            self.study.sampler = RandomSampler(seed=chance.getrandbits(32))
            seen = known(self.study, stored.number, self._knowledge)
            drawn = self._draw(reopened(seen, stored))
            if not is_tried(_identity(drawn)):
                return drawn
        return None

    def _untried(self, is_tried: Callable[[str], bool]) -> list[dict[str, Any]] | None:
        """The points that no trial has; None where there are too many to list."""
        if self._points is None:
            return None
        return [point for key, point in self._points.items() if not is_tried(key)]

    @cached_property
    def _points(self) -> dict[str, dict[str, Any]] | None:
        return listed(self.space, self.conditions)

    def _at(self, point: dict[str, Any]) -> Drawn:
        drawn = {name: d for name, d in self.space.items() if name in point}
        return {name: (d.to_internal_repr(point[name]), d) for name, d in drawn.items()}

    def _draw(self, trial: Trial) -> Drawn:
        """Draw all active parameters, and store none."""
        draft = _Draft(storage_of(self.study))
        draw_into(trial, draft)
        self._settle_parents(trial)
        values: dict[str, Any] = {}
        for name, distribution in self.space.items():
            if holds(self.conditions.get(name, {}), values):
                values[name] = draw(trial, name, distribution)
        if self.extend is not None:
            self.extend(self.config, trial)
        return draft.drawn

    def _settle_parents(self, trial: Trial) -> None:
        """Choose a generation's parents before drawing, so that they are always read back.

        Genetic samplers read them back in another order than they choose them in.
        """
        sampler = trial.study.sampler
        if isinstance(sampler, BaseGASampler):
            stored = get_trial(trial.study, trial.number)
            generation = sampler.get_trial_generation(trial.study, stored)
            sampler.get_parent_population(trial.study, generation)


def _identity(drawn: Drawn) -> str:
    return identity({name: d.to_external_repr(value) for name, (value, d) in drawn.items()})


class _Draft(StorageView):
    """A storage that keeps the parameters written to it to itself."""

    def __init__(self, storage: BaseStorage) -> None:
        super().__init__(storage)
        self.drawn: Drawn = {}

    def set_trial_param(
        self, _trial_id: int, name: str, value: float, distribution: BaseDistribution
    ) -> None:
        self.drawn[name] = (as_meant(distribution, value), distribution)
