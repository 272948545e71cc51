"""A sweep's Hydra config, and the configs of its jobs composed from it."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig, OmegaConf, open_dict, read_write

from cnnsweep.config.composing.base import as_current
from cnnsweep.config.composing.job_configs import JobConfigs
from cnnsweep.config.key_sources import KeySources
from cnnsweep.config.validation import checked, resolve
from cnnsweep.task.resumed_config import resumed_folders

_FOLDERS = ("cnnsweep.hydra_callback.Folders", "cnnsweep.callback.Folders")


@dataclass
class SweepContext:
    """What Hydra hands to a sweeper."""

    hydra_context: HydraContext
    task: TaskFunction
    config: DictConfig

    @cached_property
    def _jobs(self) -> JobConfigs:
        return JobConfigs(self.hydra_context.config_loader, self.config)

    @property
    def folder(self) -> Path:
        """The sweep folder, absolute."""
        return Path(str(self.config.hydra.sweep.dir)).resolve()

    @property
    def is_our_task(self) -> bool:
        """Whether the jobs are runs of this package, or those of another Hydra app."""
        return getattr(self.task, "__module__", None) == "cnnsweep.cli"

    def compose(self, overrides: tuple[str, ...], folder: str | None, number: int) -> DictConfig:
        """The config of one job whose run folder is ``folder`` below the sweep folder.

        None: as its own ``hydra.sweep.subdir`` says.

        Raises:
            hydra.errors.HydraException: an override does not fit the config.
        """
        config = self._jobs.compose(overrides)
        with read_write(config), open_dict(config):
            config.hydra.job.num = number
            folder = str(config.hydra.sweep.subdir) if folder is None else folder
            config.hydra.job.id = folder
            config.hydra.sweep.dir = str(self.folder)
            config.hydra.sweep.subdir = folder
            config.hydra.runtime.output_dir = str(self.folder / folder)
        return config

    def checked(self, config: DictConfig, sources: KeySources) -> dict[str, object]:
        """A composed config of ours as plain values, without Hydra's part.

        ``sources`` are those of its keys.

        Raises:
            UserError: it cannot be meant, see :func:`cnnsweep.config.validation.checked`.
        """
        is_recorded = self.folder in resumed_folders
        with as_current(config):
            return checked(config, sources, may_be_recorded=is_recorded)

    def resolved(self, config: DictConfig) -> dict[str, object]:
        """A composed config as plain values, without Hydra's part, unchecked."""
        with as_current(config):
            return resolve(config)

    def log_file(self, folder: str) -> Path:
        """Where the log of the job in ``folder`` is."""
        return self.folder / folder / f"{self.config.hydra.job.name}.log"

    def words_of_jobs(self, words: Iterable[str]) -> list[str]:
        """Those that every job gets: ``resume`` concerns the sweep, where our callback reads it."""
        return [word for word in words if not (self._knows_resume and word.startswith("resume="))]

    @cached_property
    def _knows_resume(self) -> bool:
        callbacks = OmegaConf.to_container(self.config.hydra.callbacks, resolve=False)
        assert isinstance(callbacks, dict)
        targets = [one.get("_target_") for one in callbacks.values() if isinstance(one, dict)]
        return self.is_our_task or any(target in _FOLDERS for target in targets)
