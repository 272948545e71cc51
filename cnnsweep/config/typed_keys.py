"""Keys of Hydra's own part as somebody typed them: paths, and those of another kind of command."""

from omegaconf import DictConfig, OmegaConf, read_write

from cnnsweep.config.hydra_internals import node_of
from cnnsweep.dotted_keys import is_below
from cnnsweep.errors import UserError
from cnnsweep.home import with_home
from cnnsweep.redact import masked_word

_FOLDERS = ("run.dir", "sweep.dir", "sweeper.storage", "launcher.submitit_folder")
_OF_SWEEPS = ("hydra.sweep", "hydra.sweeper", "hydra.launcher")


def expand_homes(config: DictConfig) -> None:
    """Replace ``~`` where a folder of Hydra's own part begins with it; in place."""
    for key in _FOLDERS:
        parent, _, last = key.rpartition(".")
        section = OmegaConf.select(config.hydra, parent)
        text = node_of(section, last) if section is not None and last in section else None
        raw = None if text is None else OmegaConf.to_container(section, resolve=False)[last]  # type: ignore[index, call-overload]
        if isinstance(raw, str) and with_home(raw) != raw:
            with read_write(config.hydra):
                OmegaConf.update(config.hydra, key, with_home(raw))


def refuse_other_modes_keys(config: DictConfig) -> None:
    """Refuse what was typed and counts only with, or only without, ``--multirun``.

    Files may hold both: one file serves runs and sweeps.

    Raises:
        UserError: names what was typed, and what to type.
    """
    is_sweep = config.hydra.mode.name == "MULTIRUN"
    for line in config.hydra.overrides.hydra:
        key, _, value = str(line).lstrip("+~").partition("=")
        shown = repr(masked_word(str(line)))
        if is_sweep and is_below(key, ["hydra.run.dir"]):
            raise UserError(
                f"{shown} is the folder of a single run; a sweep's is hydra.sweep.dir={value}"
            )
        if not is_sweep and is_below(key, ["hydra.sweep.dir"]):
            raise UserError(
                f"{shown} is the folder of a sweep, which needs --multirun; a single run's is "
                f"hydra.run.dir={value}"
            )
        if not is_sweep and is_below(key, _OF_SWEEPS):
            raise UserError(f"{shown} is for a sweep: it needs --multirun")
