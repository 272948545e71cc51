"""Where the keys of a composed config come from: our conf/, somebody's YAML, the command line."""

import re
from collections.abc import Mapping
from functools import cache
from importlib.resources import as_file, files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any, NamedTuple, cast

from hydra.core.config_loader import ConfigLoader
from hydra.core.global_hydra import GlobalHydra
from hydra.core.hydra_config import HydraConfig
from hydra.core.override_parser.types import Override
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf

from cnnsweep.config import CONF_DIR
from cnnsweep.config.overrides import typed_lines
from cnnsweep.config.own_keys import GROUPS
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
    ``options`` the keys that the file of ours that was chosen for a group has. ``is_whole``:
    our conf/ is not even looked into, as where a recorded config is the main one.
    """

    given: dict[str, Given]
    options: dict[str, set[str]]
    is_whole: bool = False


class _Folder(NamedTuple):
    """A folder of configs, or a package of them, among those that Hydra looks into."""

    provider: str
    root: Traversable
    shown: str

    def file(self, path: str) -> Traversable | None:
        """The file of a config, None where this folder has none."""
        name = path if path.endswith(".yaml") else f"{path}.yaml"
        file = self.root.joinpath(name)
        return file if file.is_file() else None

    @property
    def is_ours(self) -> bool:
        """Whether it is the conf/ of this package."""
        return isinstance(self.root, Path) and self.root.resolve() == CONF_DIR

    @property
    def is_somebodys(self) -> bool:
        """Whether a command chose it; others are Hydra's and its plugins'."""
        return not self.is_ours and self.provider.startswith(_THEIRS)

    def place(self, path: str) -> str:
        """A config's file as a person here would type it."""
        name = path if path.endswith(".yaml") else f"{path}.yaml"
        whole = Path(self.shown) / name
        return str(whole.relative_to(Path.cwd()) if whole.is_relative_to(Path.cwd()) else whole)


def key_sources(config: DictConfig) -> KeySources:
    """The sources of the config that Hydra composed; without its own part that of the present job.

    Raises:
        UserError: a file of somebody's own is hidden by one of ours with the same name, or two
            options are chosen where one has room.
    """
    hydra = hydra_of(config)
    overrides = typed_lines(hydra)
    found = [_folder(source) for source in hydra.runtime.config_sources]
    folders = [folder for folder in found if folder is not None]
    loader = GlobalHydra.instance().config_loader()
    return _sources_of(loader, hydra.job.config_name, overrides, folders)


def hydra_of(config: DictConfig) -> Any:
    """Hydra's part of a composed config; a task gets its config without it."""
    return config.hydra if "hydra" in config else HydraConfig.get()


def _sources_of(
    loader: ConfigLoader,
    name: str | None,
    overrides: list[str],
    folders: list[_Folder],
) -> KeySources:
    defaults = loader.compute_defaults_list(name, overrides, RunMode.RUN)
    given: dict[str, Given] = {}
    options_of: dict[str, dict[str, set[str]]] = {}
    for default in defaults.defaults:
        path = default.config_path
        folder = _having(folders, path) if path is not None else None
        if path is None or folder is None or path.startswith("hydra/"):
            continue
        group = path.rpartition("/")[0]
        if folder.is_ours and default.package == group:
            options_of.setdefault(group, {})[path] = _keys(folder, path, default.package)
        elif folder.is_somebodys:
            place = Given(folder.place(path), True, group)
            given |= dict.fromkeys(_keys(folder, path, default.package), place)
    given |= _typed(defaults.config_overrides)
    for group, found in options_of.items():
        if group in GROUPS and group != "logger" and len(found) > 1:
            names = ",".join(path.rpartition("/")[2] for path in found)
            raise UserError(
                f"{group}=[{names}]: one option is allowed; --multirun {group}={names} tries each"
            )
    options = {group: set[str]().union(*found.values()) for group, found in options_of.items()}
    return KeySources(given, options, is_whole=not any(folder.is_ours for folder in folders))


def _typed(overrides: list[Override]) -> dict[str, Given]:
    """The keys that the command line sets, without Hydra's."""
    given: dict[str, Given] = {}
    for override in overrides:
        key = _OF_A_LIST.sub(r".\1", override.key_or_group)
        if override.is_delete() or _is_hydras(key):
            continue
        place = Given(str(override.input_line), is_file=False)
        value = override.value()
        keys = leaves({key: value}) if isinstance(value, Mapping) else {key: value}
        given |= dict.fromkeys(map(str, keys), place)
    return given


def _folder(source: Any) -> _Folder | None:
    """A source as Hydra lists it; None for one that is neither a folder nor a package."""
    if source.schema == "file":
        return _Folder(source.provider, Path(source.path), str(source.path))
    if source.schema != "pkg":
        return None
    try:
        root = files(source.path.replace("/", "."))
    except (ImportError, TypeError):
        return None
    return _Folder(source.provider, root, f"pkg://{source.path}")


def _having(folders: list[_Folder], path: str) -> _Folder | None:
    """The folder from which Hydra reads a config: the first that has it."""
    having = [folder for folder in folders if folder.file(path) is not None]
    for other in having[1:]:
        if having[0].is_ours and other.is_somebodys:
            raise UserError(
                f"{other.place(path)} is not read, since cnnsweep has a {path}.yaml of its own: "
                "give the file another name"
            )
    return having[0] if having else None


def _keys(folder: _Folder, path: str, package: str | None) -> set[str]:
    """The dotted keys that a file sets, without Hydra's."""
    file = folder.file(path)
    assert file is not None
    with as_file(file) as there:
        written = there.stat()
        whole = _read(there, written.st_mtime_ns, written.st_size)
    plain = {key: value for key, value in whole.items() if key != "defaults"}
    found = map(str, leaves(plain, f"{package}." if package else ""))
    return {key for key in found if not _is_hydras(key)}


@cache
def _read(file: Path, _changed: int, _size: int) -> dict[str, Any]:
    """A file as plain values, read again once it has changed."""
    whole: Any = OmegaConf.to_container(OmegaConf.load(file))
    return cast(dict[str, Any], whole)


def _is_hydras(key: str) -> bool:
    return key == "hydra" or key.startswith("hydra.")
