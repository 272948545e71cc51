"""The config that the jobs of one combination of choices share, and each job's values in it."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from hydra.core.config_loader import ConfigLoader
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig, OmegaConf, open_dict, read_write
from omegaconf.errors import ConfigAttributeError, ConfigKeyError, OmegaConfBaseException

from cnnsweep.config.composing.combinations import parsed, set_key
from cnnsweep.config.error_messages import short_error
from cnnsweep.config.validation import resolve, resolve_section
from cnnsweep.errors import UserError

Words = tuple[str, ...]


class Base:
    """The config of a combination of ``choices``, of which each job sets plain keys anew.

    ``first`` are the words of plain keys of one job, each of another key. ``lacking`` are those
    keys among them that the config does not have.

    Raises:
        hydra.errors.HydraException: the choices do not compose.
    """

    def __init__(
        self, loader: ConfigLoader, sweep: DictConfig, choices: Words, first: Iterable[str]
    ) -> None:
        self.choices = choices
        self.config = loader.load_sweep_config(sweep, list(choices))
        self.lacking = set[str]()
        for word in first:
            key = word.partition("=")[0]
            if parsed(word).is_add() and OmegaConf.select(self.config, key[1:]) is not None:
                loader.load_sweep_config(sweep, [*choices, word])  # which Hydra refuses
            if not _has(self.config, word):
                self.lacking.add(key)
        keys = [str(key) for key in self.config if key != "hydra"]
        self._computed = {key for key in keys if "${" in _raw(self.config, key)}
        self._reads_hydra = any("hydra" in _raw(self.config, key) for key in self._computed)
        self._resolved: dict[str, Any] | None = None

    @property
    def is_fresh(self) -> bool:
        """Whether no job has been resolved yet."""
        return self._resolved is None

    def set(self, keys: Words) -> None:
        """Set the plain keys of a job."""
        for word in keys:
            set_key(self.config, word)

    def refuse(self, word: str) -> None:
        """Raise UserError, with the nearest key, where the config lacks the key of a word."""
        try:
            set_key(self.config, word)
        except OmegaConfBaseException as error:
            raise UserError(short_error(error)) from error

    def resolved(self, keys: Words, words: Words, number: int) -> dict[str, Any]:
        """The resolved config of the job that sets ``keys``, of which ``words`` are all overrides.

        Sections in which nothing is set, and that follow from none by an interpolation, are those
        of the job before: the next job changes what is returned.
        """
        self.set(keys)
        if self._reads_hydra or any("${" in word and "hydra" in word for word in keys):
            with self.as_job(words, number):
                return resolve(self.config)
        if self._resolved is None:
            self._resolved = resolve(self.config)
        else:
            changed = {section_of(word) for word in keys} | self._computed
            self._resolved |= {key: resolve_section(self.config, key) for key in changed}
        return self._resolved

    @contextmanager
    def as_job(self, words: Words, number: int) -> Iterator[None]:
        """Until the block ends the config is that of this job, also for ``${hydra:…}``."""
        config = self.config
        with read_write(config.hydra), open_dict(config.hydra):
            config.hydra.overrides.task = list(words)
            config.hydra.job.id = str(number)
            config.hydra.job.num = number
        with as_current(config):
            place = Path(str(config.hydra.sweep.dir)).resolve() / str(config.hydra.sweep.subdir)
        with read_write(config.hydra), open_dict(config.hydra):
            config.hydra.runtime.output_dir = str(place)
        with as_current(config):
            yield


@contextmanager
def as_current(config: DictConfig) -> Iterator[None]:
    """Until the block ends what ``${hydra:…}`` reads is ``config``, not the sweep's own."""
    controller = HydraConfig.instance().cfg
    HydraConfig.instance().set_config(config)
    try:
        yield
    finally:
        HydraConfig.instance().cfg = controller


def section_of(word: str) -> str:
    """The top-level key below which a word sets something."""
    return word.partition("=")[0].lstrip("+").partition(".")[0]


def _has(config: DictConfig, word: str) -> bool:
    try:
        set_key(config, word)
    except (ConfigAttributeError, ConfigKeyError):
        return False
    except OmegaConfBaseException:  # the value does not fit, which the job's check will say
        return True
    return True


def _raw(config: DictConfig, key: str) -> str:
    """A section's text with its interpolations as they stand."""
    return str(OmegaConf.to_container(OmegaConf.masked_copy(config, [key]), resolve=False))
