"""The jobs of a grid, every combination of the values that were typed, known beforehand."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from copy import deepcopy
from functools import cached_property
from itertools import product
from math import prod
from pathlib import Path
from typing import Any, NamedTuple

from hydra.core.global_hydra import GlobalHydra
from hydra.errors import HydraException
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from cnnsweep.config.composing.axes import axes_of
from cnnsweep.config.composing.base import Base, Words, section_of
from cnnsweep.config.composing.combinations import (
    MOST_COMBINATIONS,
    combinations,
    few_combinations,
    one_by_one,
    parsed,
    plain_keys,
)
from cnnsweep.config.composing.left_out import left_out_lines
from cnnsweep.config.error_messages import short_error
from cnnsweep.config.hydra_internals import BASIC_SWEEPER
from cnnsweep.config.key_sources import key_sources
from cnnsweep.config.validation import check, checked
from cnnsweep.errors import UserError
from cnnsweep.redact import masked_word

OUR_SWEEPER = "cnnsweep.sweep.sweeper.CnnSweeper"
_KEPT = 64  # composed configs, each about half a megabyte
BY_NUMBER = "${hydra.job.num}"  # the place of a job's folder, unless somebody names it otherwise
_checked: list[tuple[DictConfig, "GridJobs"]] = []  # the last


def is_basic(config: DictConfig) -> bool:
    """Whether a --multirun config is swept by Hydra's basic sweeper."""
    return bool(config.hydra.sweeper._target_ == BASIC_SWEEPER)


def is_grid(config: DictConfig) -> bool:
    """Whether a --multirun config is a grid's, by Hydra's basic sweeper or by ours."""
    ours = bool(config.hydra.sweeper._target_ == OUR_SWEEPER)
    return is_basic(config) or (ours and "n_trials" not in config.hydra.sweeper)


def job_overrides(config: DictConfig) -> list[list[str]]:
    """The overrides of each job as Hydra's basic sweeper has them, in its order.

    Raises as :func:`cnnsweep.config.composing.axes.axes_of` does.
    """
    return [list(words) for words in product(*axes_of(config).values())]


class _Job(NamedTuple):
    choices: Words
    keys: Words
    all: Words


class GridJobs:
    """The jobs of a grid, in its order.

    A plain key that some choices of the swept groups do not have is left out of their jobs; jobs
    that are equal then are one. ``config`` is the sweep's own. Jobs are known by their place in
    the order, from 0.
    """

    def __init__(self, config: DictConfig) -> None:
        self._config = config
        self._loader = GlobalHydra.instance().config_loader()
        self._axes = axes_of(config)
        plain = plain_keys(self._axes, config, self._loader)
        is_plain = {
            key: key in plain and not any(isinstance(parsed(w).value(), dict) for w in words)
            for key, words in self._axes.items()
        }
        self._keys = {key: words for key, words in self._axes.items() if is_plain[key]}
        self._choices = {key: words for key, words in self._axes.items() if not is_plain[key]}
        self._bases: dict[Words, Base] = {}
        self._lacking: dict[Words, frozenset[str]] = {}

    @property
    def overrides(self) -> list[list[str]]:
        """Of each job, as it is composed."""
        return [list(job.all) for job in self._jobs]

    def check(self, *, may_be_recorded: bool = False) -> None:
        """Refuse a grid of which a job could only fail, as :func:`check_jobs` does."""
        is_small = prod(map(len, self._axes.values())) <= MOST_COMBINATIONS
        for choices in few_combinations(self._choices):
            words = tuple(choices.values())
            with self._said_of(choices | {key: listed[0] for key, listed in self._keys.items()}):
                base = self._base(words)
            there = {k: listed for k, listed in self._keys.items() if k not in base.lacking}
            for keys in combinations(there) if is_small else one_by_one(there):
                with self._said_of(choices | keys):
                    self._check(base, keys, may_be_recorded)
        self._refuse_unknown()

    def resolved(self, index: int, number: int) -> dict[str, Any]:
        """A job's resolved config, where it is ``hydra.job.num=number``; unchecked."""
        job = self._jobs[index]
        return deepcopy(self._base(job.choices).resolved(job.keys, job.all, number))

    def subdir(self, index: int, number: int) -> Path:
        """The place of a job's folder below the sweep folder, as Hydra's own grids have it."""
        plain: Any = OmegaConf.to_container(self._config.hydra.sweep, resolve=False)
        if plain["subdir"] == BY_NUMBER:
            return Path(str(number))
        job = self._jobs[index]
        base = self._base(job.choices)
        base.set(job.keys)
        with base.as_job(job.all, number):
            return Path(str(base.config.hydra.sweep.subdir))

    @cached_property
    def notes(self) -> list[str]:
        """What is left out of which jobs, a line for each key."""
        notes = left_out_lines(self._keys, list(self._choices), self._all_lacking())
        if equal := prod(map(len, self._axes.values())) - len(self._jobs):
            notes.append(f"{equal} jobs that would be equal to others without it are left out")
        return notes

    @cached_property
    def _jobs(self) -> list[_Job]:
        lacking = self._all_lacking()
        found: list[_Job] = []
        firsts: dict[Words, Words] = {}
        for words in product(*self._axes.values()):
            by_key = dict(zip(self._axes, words, strict=True))
            choices = tuple(by_key[key] for key in self._choices)
            left_out = lacking.get(choices, frozenset())
            job = _Job(
                choices,
                tuple(by_key[key] for key in self._keys if key not in left_out),
                tuple(word for key, word in by_key.items() if key not in left_out),
            )
            if not left_out or firsts.setdefault(job.all, words) == words:
                found.append(job)
        return found

    def _all_lacking(self) -> dict[Words, frozenset[str]]:
        """The keys that each combination of choices lacks; empty where none lacks any."""
        few = [tuple(one.values()) for one in few_combinations(self._choices)]
        if not any(self._lacking_of(choices) for choices in few):
            return {}
        return {one: self._lacking_of(one) for one in product(*self._choices.values())}

    def _lacking_of(self, choices: Words) -> frozenset[str]:
        if choices not in self._lacking:
            self._base(choices)
        return self._lacking[choices]

    def _base(self, choices: Words) -> Base:
        if choices not in self._bases:
            if len(self._bases) >= _KEPT:
                del self._bases[next(iter(self._bases))]
            first = [words[0] for words in self._keys.values()]
            base = Base(self._loader, self._config, choices, first)
            self._bases[choices], self._lacking[choices] = base, frozenset(base.lacking)
        return self._bases[choices]

    def _check(self, base: Base, keys: Mapping[str, str], may_be_recorded: bool) -> None:
        """Where only values differ from those of a job before, only values are looked at."""
        words, values = self._in_order(base, keys), tuple(keys.values())
        is_first = base.is_fresh
        resolved = base.resolved(values, words, 0)
        if not is_first and not any(_changes_more(key, keys[key]) for key in keys):
            check(resolved)
            return
        with base.as_job(words, 0):
            sources = key_sources(base.config)
            checked(base.config, sources, may_be_recorded=may_be_recorded)

    def _in_order(self, base: Base, keys: Mapping[str, str]) -> Words:
        words = {**dict(zip(self._choices, base.choices, strict=True)), **keys}
        return tuple(words[key] for key in self._axes if key in words)

    def _refuse_unknown(self) -> None:
        """Refuse a key that no choice has."""
        choices, lacking = next(iter(self._lacking.items()))
        for key in lacking:
            if all(key in absent for absent in self._lacking.values()):
                self._base(choices).refuse(self._keys[key][0])

    @contextmanager
    def _said_of(self, words: Mapping[str, str]) -> Iterator[None]:
        """Errors name the job, where there are several or anything was typed."""
        try:
            yield
        except (HydraException, OmegaConfBaseException, UserError) as error:
            said = " ".join(masked_word(words[key]) for key in self._axes if key in words)
            where = f" (in the job {said})" if said else ""
            raise UserError(f"{short_error(error)}{where}") from error


def check_jobs(config: DictConfig, *, may_be_recorded: bool = False) -> GridJobs:
    """The jobs of a grid of ours, refused where one of them could only fail.

    Each combination of config groups is composed once, and each key's values are checked on it;
    where there are more than 256 jobs, each value beside the first of all others.

    ``may_be_recorded`` as in :func:`cnnsweep.config.used_keys.check_used`.

    Raises:
        UserError: a job's config cannot be meant; names the job.
    """
    jobs = GridJobs(config)
    jobs.check(may_be_recorded=may_be_recorded)
    _checked[:] = [(config, jobs)]
    return jobs


def checked_jobs(config: DictConfig) -> "GridJobs":
    """The same; those of a config that has been checked are there already."""
    for other, jobs in _checked:
        if other is config:
            return jobs
    return check_jobs(config)


def _changes_more(key: str, word: str) -> bool:
    """Whether a word may change which keys count, and not a value alone."""
    last = key.rpartition(".")[2]
    return last.startswith("_") or section_of(word) == "logger" or "${" in word
