"""Keys of Hydra's own part as somebody typed them: paths, and those of another kind of command."""

from typing import Any

from omegaconf import DictConfig, OmegaConf, read_write

from cnnsweep.config.overrides import hydra_lines
from cnnsweep.dotted_keys import is_below, look_up
from cnnsweep.errors import UserError
from cnnsweep.redact import masked_word
from cnnsweep.rules import with_home

_FOLDERS = ("run.dir", "sweep.dir", "sweeper.storage", "launcher.submitit_folder")
_OF_SWEEPS = ("hydra.sweep", "hydra.sweeper", "hydra.launcher")


def expand_homes(config: DictConfig) -> None:
    """Replace ``~`` where a folder of Hydra's own part begins with it; in place."""
    plain: Any = OmegaConf.to_container(config.hydra, resolve=False)
    for key in _FOLDERS:
        text = look_up(plain, key)
        if isinstance(text, str) and with_home(text) != text:
            with read_write(config.hydra):
                OmegaConf.update(config.hydra, key, with_home(text))


def check_typed(config: DictConfig) -> None:
    """Refuse what was typed for one of our runs and counts in another kind of command only.

    Files may hold keys for runs and for sweeps: one file serves both.

    Raises:
        UserError: names what was typed, and what to type.
    """
    is_sweep = config.hydra.mode.name == "MULTIRUN"
    for line in hydra_lines(config.hydra):
        key, _, value = line.lstrip("+~").partition("=")
        shown = repr(masked_word(line))
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
