"""The jobs of a grid as its launch was told them: their configs and their folders."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf

from cnnsweep.config.composing.combinations import parsed
from cnnsweep.config.composing.grid_jobs import (
    BY_NUMBER,
    GridJobs,
    checked_jobs,
    job_overrides,
)
from cnnsweep.errors import UserError
from cnnsweep.folders.sweep_folder import HOSTS, JOURNAL, REPORT, SWEEP_CONFIG, WORKERS
from cnnsweep.redact import masked_word
from cnnsweep.sweep.grid.numbering import axes
from cnnsweep.sweep.spec.compose import SweepContext

_TAKEN = (REPORT, SWEEP_CONFIG, JOURNAL, HOSTS, WORKERS)  # in a sweep folder


@dataclass
class Jobs:
    """The overrides of each job in Hydra's order; ``ours``: the same, as runs of this package."""

    context: SweepContext
    words: list[tuple[str, ...]]
    ours: GridJobs | None

    @classmethod
    def read(cls, context: SweepContext) -> "Jobs":
        """From the command line's overrides.

        Raises:
            UserError: an axis is a range without steps, or a job could only fail.
        """
        ours = checked_jobs(context.config) if context.is_our_task else None
        typed = job_overrides(context.config) if ours is None else ours.overrides
        words = [tuple(context.words_of_jobs(job)) for job in typed]
        return cls(context, words, ours)

    @cached_property
    def axes(self) -> list[str]:
        """The keys whose values differ between jobs, in the order in which they were typed."""
        return axes(self.words)

    def compose(self, words: tuple[str, ...], number: int) -> DictConfig:
        """The config of a job with these words under a number."""
        folder = None if self.names_folders else str(number)
        return self.context.compose(words, folder, number)

    def resolved(self, place: int, number: int, more: tuple[str, ...]) -> dict[str, Any]:
        """The plain values of the job at a place of the list, with ``more`` overrides."""
        if self.ours is not None:
            added = {override.key_or_group: override.value() for override in map(parsed, more)}
            return self.ours.resolved(place, number) | added
        return self.resolved_words((*self.words[place], *more), number)

    def resolved_words(self, words: tuple[str, ...], number: int) -> dict[str, Any]:
        """The plain values of a job with these words."""
        return dict(self.context.resolved(self.compose(words, number)))

    def folder(self, place: int, number: int) -> str:
        """The name of a job's folder below the sweep's."""
        if not self.names_folders:
            return str(number)
        if self.ours is not None:
            return str(self.ours.subdir(place, number))
        return str(self.compose(self.words[place], number).hydra.sweep.subdir)

    def check_folders(self) -> None:
        """Refuse a ``hydra.sweep.subdir`` that does not give each job a folder of its own.

        Raises:
            UserError: names the folder and its jobs.
        """
        if not self.names_folders:
            return
        root, jobs = self.context.folder, dict[Path, str]()
        for place, words in enumerate(self.words):
            folder = (root / self.folder(place, place)).resolve()
            job = " ".join(map(masked_word, words))
            if root not in folder.parents or folder.relative_to(root).parts[0] in _TAKEN:
                raise UserError(
                    f"hydra.sweep.subdir puts the job {job} into {folder}; allowed are folders "
                    f"below {root}, other than {', '.join(_TAKEN)}"
                )
            if (other := jobs.setdefault(folder, job)) is not job:
                raise UserError(
                    f"hydra.sweep.subdir puts two jobs into {folder}: {other}, and {job}; each "
                    "needs its own, e.g. 'hydra.sweep.subdir=${hydra.job.override_dirname}'"
                )

    @cached_property
    def names_folders(self) -> bool:
        """Whether somebody names the jobs' folders otherwise than by their numbers."""
        plain = OmegaConf.to_container(self.context.config.hydra.sweep, resolve=False)
        assert isinstance(plain, dict)
        return bool(plain["subdir"] != BY_NUMBER)
