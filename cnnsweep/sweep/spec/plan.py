"""What one search is to do, decided before its study is opened, and its runs as jobs."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from omegaconf import DictConfig
from optuna.trial import FrozenTrial

from cnnsweep.config.launchers import cpus_each
from cnnsweep.folders.run_folder import RunFolder
from cnnsweep.folders.sweep_folder import FOLDER as FOLDER
from cnnsweep.metric_names import Direction
from cnnsweep.rules import as_typed
from cnnsweep.sweep.spec.run_keys import EPOCHS, THREADS, RunKeys
from cnnsweep.sweep.spec.samplers import Sampling
from cnnsweep.sweep.spec.settings import Settings
from cnnsweep.sweep.spec.space.search_space import SearchSpace

DEFAULT_STUDY = "cnnsweep"
UNNAMED = "value"  # what an app returns that names no objective
SWEPT = "swept"  # that of a grid's job: its values of the keys that the grid goes through


@dataclass(frozen=True)
class Given:
    """Points that a search is to try first.

    ``source`` is what was typed. ``may_be_cut``: as many of them as there is room for, and no more.
    ``lines`` say what was left out of it. ``chosen_of``: among how many trials of a folder they
    are the best, by what says on which images those were compared.
    """

    source: str
    points: tuple[Mapping[str, Any], ...]
    may_be_cut: bool = False
    lines: tuple[str, ...] = ()
    chosen_of: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Earlier:
    """Trials of an earlier sweep, as plain values that go into JSON; ``line`` says how many."""

    folder: str
    trials: tuple[Mapping[str, Any], ...]
    line: str


@dataclass(frozen=True)
class Plan:
    """One study and its confirmation.

    ``sweep`` is the sweep folder, ``subfolder`` the search's below it ("" where it has none).
    ``config`` is that of the first corner of the space, ``seed`` the sampler's, ``threads`` None
    where the app has no such key. ``typed`` holds the keys given on the command line. ``points`` is
    how many different points the space has, None where they have no end or no list is kept of them:
    a function draws more, or the grid sampler goes through them by itself. ``search_number`` is
    that of a search among those of the same space, from 0; None where there is one. ``noun`` is
    what a person calls its trials: those of a grid are jobs, which go through the keys in ``swept``
    with the values that ``jobs`` has by folder. ``notes`` are lines on what its trials leave out.
    ``given`` are points to try first, None where none are typed, or all of them are recorded.
    ``earlier`` are trials that its sampler is to know from the first one on.
    ``knows_resume``: where to go on may have been typed as ``resume=FOLDER``.
    ``is_ours``: its runs are those of this package; ``sets_as_before`` as for RunKeys. Of another
    app ``metric`` is what its runs are asked to report, ``checkpoint`` the file from which they go
    on (``hydra.sweeper.metric``, ``.checkpoint``).
    """

    sweep: Path
    subfolder: str
    study_name: str
    space: SearchSpace
    config: DictConfig
    objectives: tuple[str, ...]
    directions: tuple[Direction, ...]
    n_trials: int
    points: int | None
    seed: int
    threads: int | None
    typed: frozenset[str]
    search_number: int | None = None
    noun: str = "trial"
    notes: tuple[str, ...] = ()
    given: Given | None = None
    earlier: tuple[Earlier, ...] = ()
    swept: frozenset[str] = frozenset()
    jobs: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    is_ours: bool = True
    knows_resume: bool = True
    metric: str | None = None
    checkpoint: str | None = None
    sets_as_before: bool = False

    @property
    def is_decided(self) -> bool:
        """Whether it is known which metric decides where a run's task returns nothing."""
        return self.is_ours or self.metric is not None

    @property
    def folder(self) -> Path:
        """The search's own folder."""
        return self.sweep / self.subfolder

    @property
    def decides(self) -> dict[str, str]:
        """What another app's search says that it decides by; our own runs' configs say it."""
        return (
            {} if self.metric is None else {"metric": self.metric, "direction": self.directions[0]}
        )

    @property
    def choice(self) -> str:
        """What is searched, of several that are compared; "" where nothing is."""
        return self.subfolder if self.search_number is None else self.subfolder.rpartition("/")[0]

    @property
    def prefix(self) -> str:
        """What lines about the search begin with, where there are several."""
        return f"{self.subfolder}: " if self.subfolder else ""

    @property
    def varied(self) -> frozenset[str]:
        """The keys that differ between trials."""
        return self.swept | self.space.distributions.keys()

    def params(self, trial: FrozenTrial) -> dict[str, Any]:
        """A trial's parameters in the space's order, which not every storage keeps.

        Those of a grid's job are text, as typed.
        """
        if SWEPT in trial.user_attrs:  # an earlier launch may have had fewer axes
            return dict(self.jobs.get(trial.user_attrs[FOLDER], trial.user_attrs[SWEPT]))
        names = [name for name in self.space.distributions if name in trial.params]
        more = sorted(trial.params.keys() - set(names))
        return {name: trial.params[name] for name in (*names, *more)}

    def label(self, trial: FrozenTrial) -> str:
        """What a person calls a trial: ``trial 7``, ``job 7``."""
        return f"{self.noun} {trial.user_attrs.get(FOLDER, trial.number)}"

    def place(self, trial: FrozenTrial) -> Path:
        """The folder of a trial, of all its runs."""
        return self.folder / str(trial.user_attrs.get(FOLDER, trial.number))

    def run(self, folder: Path) -> RunFolder:
        """The files of one of its runs, of which another app may have its own."""
        return RunFolder(folder, is_ours=self.is_ours)

    def epochs(self, trial: FrozenTrial) -> int:
        """How many epochs a trial has, of a config that says it."""
        return int(trial.params[EPOCHS]) if EPOCHS in trial.params else self._epochs

    @property
    def common_epochs(self) -> int | None:
        """How many epochs a run has, where that is known and the same for all."""
        return None if EPOCHS in self.varied else self.keys.get(EPOCHS)

    @cached_property
    def keys(self) -> RunKeys:
        """What the sweeper reads and sets of a run's keys."""
        return RunKeys(self.config, self.is_ours, self.sets_as_before)

    @cached_property
    def _epochs(self) -> int:
        return int(self.keys.get(EPOCHS))

    @property
    def most_epochs(self) -> int:
        """The epochs of the longest trial that may be asked for."""
        drawn = self.space.distributions.get(EPOCHS)
        if drawn is None:
            return self._epochs
        return int(max(self.keys.drawn(EPOCHS, drawn)))

    def overrides(self, params: Mapping[str, Any], **changes: Any) -> tuple[str, ...]:
        """The space's, then those of ``changes`` that the app knows and nobody typed."""
        known = {k: v for k, v in changes.items() if self.keys.may_set(k) and k not in self.typed}
        more = tuple(f"{key}={as_typed(value)}" for key, value in known.items())
        return (*self.space.overrides(params), *more, *self.threads_override())

    def threads_override(self) -> tuple[str, ...]:
        """What sets the threads of a run's worker, where the trials do not differ in them."""
        if self.threads is None or THREADS in self.varied:
            return ()
        return (f"{THREADS}={self.threads}",)


def sampling_of(plan: Plan, settings: Settings) -> Sampling:
    """The sampler of a search; raises UserError where a key of it is out of range."""
    differ = settings.custom_search_space is not None or plan.space.conditions
    return Sampling(
        settings.sampler,
        plan.seed,
        plan.space.distributions,
        plan.n_trials,
        is_conditional=bool(differ) and len(plan.directions) == 1,
        conditional=tuple(plan.space.conditions),
        is_scrambled=bool(plan.search_number),
    )


def threads_of(keys: RunKeys) -> int | None:
    """CPU threads of a run: one, so that its bytes are the same with any number of workers.

    None where the app has no such key of ours.
    """
    threads = keys.get(THREADS)
    if threads == "auto":
        return cpus_each(keys.config) or 1
    return threads if isinstance(threads, int) else None
