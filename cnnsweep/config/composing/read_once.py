"""YAML files that are read once a process, however many jobs are composed from them."""

import pickle
from pathlib import Path

from hydra.core.config_loader import ConfigLoader
from hydra.core.object_type import ObjectType
from hydra.plugins.config_source import ConfigResult

from cnnsweep.config.hydra_internals import ConfigRepository, repository_of, set_repository

_READ: dict[object, bytes] = {}  # pickled, which is the quickest way to a copy


class ReadOnce(ConfigRepository):
    """Hydra's configs; a file is read again only once it has changed.

    Copies are handed out, since Hydra composes with the very nodes.
    """

    def load_config(self, config_path: str) -> ConfigResult | None:
        source = self._find_object_source(config_path, ObjectType.CONFIG)
        if source is None or source.scheme() not in ("file", "pkg"):
            return super().load_config(config_path)
        path = config_path if config_path.endswith(".yaml") else f"{config_path}.yaml"
        file = Path(source.path, path) if source.scheme() == "file" else None
        key = source.scheme(), source.provider, source.path, path, _stamp(file)
        if key not in _READ:
            _READ[key] = pickle.dumps(super().load_config(config_path))
        result: ConfigResult = pickle.loads(_READ[key])
        return result


def read_files_once(loader: ConfigLoader) -> None:
    """Have this loader compose from what this process has read before."""
    if not isinstance(repository_of(loader), ReadOnce):
        set_repository(loader, ReadOnce)


def _stamp(path: Path | None) -> object:
    """Another one for a file that was written again."""
    if path is None:
        return None
    found = path.stat()
    return found.st_mtime_ns, found.st_size, found.st_ino
