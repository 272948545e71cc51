"""What a config computes from its other values, told apart from defaults that have changed."""

from collections.abc import Iterable, Mapping
from contextlib import suppress
from copy import deepcopy
from pathlib import Path
from typing import Any

from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig, ListConfig, OmegaConf, open_dict, read_write
from omegaconf.errors import OmegaConfBaseException

from cnnsweep.dotted_keys import is_below


def as_run_records(
    present: DictConfig, recorded: Mapping[str, Any], free: Iterable[str] = ()
) -> dict[str, Any]:
    """A composed config as plain values, to be compared with what a run recorded.

    A value that is computed is the one that comes of the recorded values, whatever it is computed
    from now. Where it is the one that was recorded, it follows what is typed; else its default is
    another one than it was. Keys below ``free`` count as they are now.

    The config becomes the one that ``${hydra:…}`` reads.
    """
    with read_write(present.hydra), open_dict(present.hydra):
        present.hydra.runtime.output_dir = str(Path(str(present.hydra.run.dir)).resolve())
    HydraConfig.instance().set_config(present)
    job = OmegaConf.masked_copy(present, [str(key) for key in present if key != "hydra"])
    then = deepcopy(job)
    with read_write(then), open_dict(then):
        _restore(then, recorded, tuple(free))
    found: Any = _computed(
        OmegaConf.to_container(job, resolve=False), OmegaConf.to_container(then, resolve=True)
    )
    assert isinstance(found, dict)
    return found


def _restore(
    node: DictConfig, recorded: Mapping[Any, Any], free: tuple[str, ...], place: str = ""
) -> None:
    """Put recorded values, in place, wherever none is computed and they can still stand."""
    for key, value in recorded.items():
        path = f"{place}{key}"
        if is_below(path, free) or OmegaConf.is_interpolation(node, key) or _is_computed(value):
            continue
        now = None if OmegaConf.is_missing(node, key) else node.get(key)
        if isinstance(now, DictConfig) and isinstance(value, Mapping):
            _restore(now, value, free, f"{path}.")
        elif not (isinstance(now, ListConfig) and _is_computed(OmegaConf.to_container(now))):
            with suppress(OmegaConfBaseException):  # another app's key may be of another type now
                node[key] = value


def _computed(now: Any, then: Any) -> Any:
    """The values of ``now``, unresolved, but for those that are computed: these of ``then``."""
    if isinstance(now, Mapping):
        return {key: _computed(value, then[key]) for key, value in now.items()}
    return then if _is_computed(now) else now


def _is_computed(value: Any) -> bool:
    """Whether an unresolved value, no mapping, is or has an interpolation."""
    return not isinstance(value, Mapping) and "${" in str(value)
