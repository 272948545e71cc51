"""The jobs of a grid as its launch was told them: their configs and their folders."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf

from cnnsweep.config.composing.combinations import parsed
from cnnsweep.config.composing.grid_jobs import GridJobs, checked_jobs, job_overrides
from cnnsweep.errors import UserError
from cnnsweep.folders.sweep_folder import HOSTS, JOURNAL, REPORT, SWEEP_CONFIG, WORKERS
from cnnsweep.redact import masked_word
from cnnsweep.sweep.spec.compose import SweepContext

_TAKEN = (REPORT, SWEEP_CONFIG, JOURNAL, HOSTS, WORKERS)  # in a sweep folder
_BY_NUMBER = "${hydra.job.num}"  # the place of a job's folder, unless somebody names it otherwise


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
        words = [tuple(line for line in job if not line.startswith("resume=")) for job in typed]
        return cls(context, words, ours)

    def compose(self, place: int, number: int) -> DictConfig:
        """The config of the job at a place of the list under a number."""
        folder = None if self.names_folders else str(number)
        return self.context.compose(self.words[place], folder, number)

    def resolved(self, place: int, number: int, more: tuple[str, ...]) -> dict[str, Any]:
        """The same as plain values, with ``more`` overrides."""
        if self.ours is not None:
            added = {override.key_or_group: override.value() for override in map(parsed, more)}
            return self.ours.resolved(place, number) | added
        return self.resolved_words((*self.words[place], *more), number)

    def resolved_words(self, words: tuple[str, ...], number: int) -> dict[str, Any]:
        """The plain values of a job with other words."""
        folder = None if self.names_folders else str(number)
        return dict(self.context.resolved(self.context.compose(words, folder, number)))

    def folder(self, place: int, number: int) -> str:
        """The name of a job's folder below the sweep's."""
        if not self.names_folders:
            return str(number)
        return str(self.compose(place, number).hydra.sweep.subdir)

    def check_folders(self) -> None:
        """Refuse a ``hydra.sweep.subdir`` that does not give each job a folder of its own.

        Raises:
            UserError: names the folder and its jobs.
        """
        if not self.names_folders:
            return
        root, jobs = self.context.folder, dict[Path, str]()
        for place, words in enumerate(self.words):
            name = (
                self.folder(place, place) if self.ours is None else self.ours.subdir(place, place)
            )
            folder, job = (root / name).resolve(), " ".join(map(masked_word, words))
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

    @property
    def names_folders(self) -> bool:
        """Whether somebody names the jobs' folders otherwise than by their numbers."""
        plain = OmegaConf.to_container(self.context.config.hydra.sweep, resolve=False)
        assert isinstance(plain, dict)
        return bool(plain["subdir"] != _BY_NUMBER)
