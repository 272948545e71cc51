"""Where the keys of a composed config come from: our conf/, somebody's YAML, the command line."""

import re
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from hydra.core.config_loader import ConfigLoader
from hydra.core.default_element import ResultDefault
from hydra.core.global_hydra import GlobalHydra
from hydra.core.hydra_config import HydraConfig
from hydra.plugins.config_source import ConfigSource
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf

from cnnsweep.config import CONF_DIR
from cnnsweep.dotted_keys import leaves
from cnnsweep.errors import UserError
from cnnsweep.redact import masked_word

_THEIRS = ("main", "command-line", "hydra.searchpath")
_OF_A_LIST = re.compile(r"\[([^\]]+)\]")


class Given(NamedTuple):
    """Where a key was given: the file or the word, and whether that is a file.

    ``group`` is that of a file's place in its folder, "" for a main config.
    """

    place: str
    is_file: bool
    group: str = ""

    def __str__(self) -> str:
        return self.place if self.is_file else repr(masked_word(self.place))


class KeySources(NamedTuple):
    """Dotted keys without Hydra's own part.

    ``given`` holds those that are not from our conf/, each with where it was given last;
    ``options`` the keys that the one file of ours that was chosen for a group has.
    """

    given: dict[str, Given]
    options: dict[str, set[str]]


def key_sources(config: DictConfig) -> KeySources:
    """The sources of the config that Hydra composed; without its own part that of the present job.

    Raises:
        UserError: a file of somebody's own is hidden by one of ours with the same name.
    """
    hydra = hydra_of(config)
    overrides = (*hydra.overrides.hydra, *hydra.overrides.task)
    return _sources_of(GlobalHydra.instance().config_loader(), hydra.job.config_name, overrides)


@lru_cache(maxsize=1)  # a sweep's corners are checked one after the other
def _sources_of(loader: ConfigLoader, name: str | None, overrides: tuple[str, ...]) -> KeySources:
    defaults = loader.compute_defaults_list(name, list(overrides), RunMode.RUN)
    given: dict[str, Given] = {}
    files: dict[str, list[set[str]]] = {}
    for default in defaults.defaults:
        if default.config_path is None or default.config_path.startswith("hydra/"):
            continue
        source = _source(loader, default.config_path)
        if source is None:
            continue
        keys = _keys(source, default)
        group = default.config_path.rpartition("/")[0]
        if is_our_conf(source):
            files.setdefault(group, []).append(keys)
        elif source.provider.startswith(_THEIRS):
            place = Given(_shown(source, default.config_path), True, group)
            given |= dict.fromkeys(keys, place)
    for override in defaults.config_overrides:
        key = _OF_A_LIST.sub(r".\1", override.key_or_group)
        if override.is_delete() or key == "hydra" or key.startswith("hydra."):
            continue
        place = Given(str(override.input_line), is_file=False)
        value = override.value()
        typed = leaves({key: value}) if isinstance(value, Mapping) else {key: value}
        given |= dict.fromkeys(map(str, typed), place)
    options = {group: found[0] for group, found in files.items() if len(found) == 1}
    return KeySources(given, options)


def hydra_of(config: DictConfig) -> Any:
    """Hydra's part of a composed config; a task gets its config without it."""
    return config.hydra if "hydra" in config else HydraConfig.get()


def is_our_conf(source: ConfigSource) -> bool:
    """Whether a source of configs is the conf/ of this package."""
    return source.scheme() == "file" and Path(source.path).resolve() == CONF_DIR


def _source(loader: ConfigLoader, path: str) -> ConfigSource | None:
    """The source that Hydra reads the file from: the first that has it."""
    having = [source for source in loader.get_sources() if source.is_config(path)]
    for other in having[1:]:
        if is_our_conf(having[0]) and other.provider.startswith(_THEIRS):
            raise UserError(
                f"{_shown(other, path)} is not read, since cnnsweep has a {path}.yaml of its own: "
                "give the file another name"
            )
    return having[0] if having else None


def _keys(source: ConfigSource, default: ResultDefault) -> set[str]:
    """The dotted keys that a file sets, without Hydra's."""
    plain: Any = OmegaConf.to_container(source.load_config(str(default.config_path)).config)
    plain.pop("defaults", None)
    package = default.package or ""
    found = leaves(plain, f"{package}." if package else "")
    return {str(key) for key in found if key != "hydra" and not str(key).startswith("hydra.")}


def _shown(source: ConfigSource, path: str) -> str:
    folder = source.path if source.scheme() != "file" else str(Path(source.path))
    name = path if path.endswith((".yaml", ".yml")) else f"{path}.yaml"
    try:
        return str((Path(folder) / name).relative_to(Path.cwd()))
    except ValueError:
        return f"{folder}/{name}"
