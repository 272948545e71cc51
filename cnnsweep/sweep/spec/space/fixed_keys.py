"""The values of keys that all trials of a search share, for conditions on them."""

from collections.abc import Mapping
from functools import cached_property
from typing import Any

from hydra.core.config_loader import ConfigLoader
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from cnnsweep.config.composing.base import Base, Words, as_current
from cnnsweep.config.composing.combinations import plain_keys
from cnnsweep.dotted_keys import leaves

_NOWHERE = object()


class FixedKeys:
    """The keys of a config composed with the words that all trials of a search share."""

    def __init__(self, words: Words, sweep: DictConfig, loader: ConfigLoader) -> None:
        self._words = words
        self._sweep = sweep
        self._loader = loader

    def values(self, key: str) -> list[Any]:
        """What a key is set to, in a list; [] where it is no key with a value."""
        if key in self._choices:
            return [self._choices[key]]
        try:
            with as_current(self._config):
                value = OmegaConf.select(self._config, key, throw_on_missing=True, default=_NOWHERE)
        except OmegaConfBaseException:
            return []
        plain = OmegaConf.to_container(value) if OmegaConf.is_list(value) else value
        return [] if plain is _NOWHERE or OmegaConf.is_dict(plain) else [plain]

    def options(self, key: str) -> list[str]:
        """Those of a config group; [] where the key is none."""
        return list(self._loader.get_group_options(key.partition("@")[0]))

    def names(self) -> list[str]:
        """The keys and groups that there are."""
        plain: Any = OmegaConf.to_container(self._config, resolve=False)
        return [*self._choices, *leaves({k: v for k, v in plain.items() if k != "hydra"})]

    @property
    def _choices(self) -> Mapping[str, Any]:
        choices: Mapping[str, Any] = self._config.hydra.runtime.choices
        return choices

    @cached_property
    def _config(self) -> DictConfig:
        keys = {word.partition("=")[0]: word for word in self._words}
        plain = plain_keys(keys, self._sweep, self._loader)
        others = [word for key, word in keys.items() if key not in plain]
        first = [word for key, word in keys.items() if key in plain]
        return Base(self._loader, self._sweep, tuple(others), first).config
