"""Keys of Hydra's sweeper that older releases had, and what says the same with today's."""

from collections.abc import Callable, Mapping
from typing import Any

from omegaconf import DictConfig, OmegaConf

from cnnsweep.config.sweeper_keys import FORMER
from cnnsweep.errors import UserError
from cnnsweep.sweep.launch.yaml_files import file_with
from cnnsweep.sweep.spec.space.former_entry import former_words

_NODE = "hydra.sweeper"


def refuse_former(keys: Mapping[str, Any], config: DictConfig) -> None:
    """Refuse the sweeper's keys where one is set that only older releases had.

    ``config`` is that of the sweep, whose file is named.

    Raises:
        UserError: says what to write instead.
    """
    for name in FORMER:
        value = keys.get(name)
        plain = OmegaConf.to_container(value, resolve=True) if OmegaConf.is_config(value) else value
        if plain not in (None, {}):
            file = file_with(f"{name}:", config)
            place = f"{_NODE}.{name}{f' in {file}' if file else ''}"
            raise UserError(f"{place} is a key of an older Hydra: {_INSTEAD[name](plain)}")


def _params(space: Any) -> str:
    if not isinstance(space, Mapping):
        return f"{_NODE}.params has taken its place"
    pairs = [f"{key}: {_entry(value)}" for key, value in space.items()]
    return f"in its place write params: {{{', '.join(pairs)}}}"


def _entry(value: Any) -> str:
    """A word for a YAML, quoted: most have commas."""
    words = former_words(value) if isinstance(value, Mapping) else str(value)
    said = "interval(LOW, HIGH), or values with commas between" if words is None else words
    return '"' + said.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _moved(config: Any) -> str:
    names = ", ".join(map(str, config)) if isinstance(config, Mapping) else "its keys"
    return f"write {names} below {_NODE} itself, without it"


def _custom(_value: Any) -> str:
    return "leave it out; custom_search_space=FUNCTION draws what words cannot say"


_INSTEAD: dict[str, Callable[[Any], str]] = {
    "search_space": _params,
    "optuna_config": _moved,
    "experiment_sequence": _custom,
}
