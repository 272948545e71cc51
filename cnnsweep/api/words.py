"""Python's values as the words of the command line."""

import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from difflib import get_close_matches
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cnnsweep.api.command import uninterrupted
from cnnsweep.errors import UserError
from cnnsweep.rules import SPACE, WHEN

if TYPE_CHECKING:
    from hydra.core.override_parser.types import Override

_KEY = re.compile(r"[^\s=,'\"]+")
# Keys whose value may be a list: one is a value there, a list of lists several to try.
_LISTS = ("objective", "loss.weight", "data.mean", "data.std", "test_time_augmentation")
_HYDRA = "hydra."
_LEAF_OF_HYDRA = 2  # dots: what stands below hydra.sweeper.params or .compare is a value
_ALLOWED = "text, numbers, true or false, None, paths, and lists and mappings of them"


def words_of(
    overrides: Sequence[object],
    keys: Mapping[str, object],
    *,
    config_dir: Path | str | None = None,
    is_sweep: bool = False,
) -> list[str]:
    """The words of a command: options, overrides as they were typed, then keys by name.

    Raises:
        UserError: a word is none, or a value cannot be written on a command line.
    """
    words = [] if config_dir is None else ["--config-dir", str(config_dir)]
    for word in overrides:
        if not isinstance(word, str):
            raise UserError(
                f"{word!r}: allowed are words as on the command line ('model=lenet', …); other "
                "values go by name, as epochs=3"
            )
        if word.startswith("-"):
            raise UserError(
                f"{word!r} is an option of the command line: allowed are KEY=VALUE, and config_dir"
            )
        words.append(word)
    with uninterrupted():
        for name, value in keys.items():
            for key, plain in _leaves(_named(name, is_sweep), _plain(name, value), is_sweep):
                conditional = _conditional_word(key, plain) if is_sweep else None
                words.append(conditional or f"{key}={_written(key, plain, is_sweep)}")
    return words


def folder_words(key: str, folder: Path | str | None) -> list[str]:
    """The word that names a folder, none for a new one."""
    from cnnsweep.folders.typed_words import path_word

    return [] if folder is None else [path_word(key, str(folder))]


def _named(name: str, is_sweep: bool) -> str:
    """The key that is meant: ``from_`` is Python's way to write from, ``n_trials`` a sweeper's."""
    key = name.removesuffix("_")
    if not _KEY.fullmatch(key):
        raise UserError(f"{name!r} is not a key; allowed is one of a config, such as optim.lr")
    if is_sweep and "." not in key and key in _keys_of_sweepers():
        return f"hydra.sweeper.{key}"
    return key


def hint_of_sweeper(keys: Iterable[str], line: str) -> str:
    """A sweeper's key that a name may have meant, where the line of an error says it is no key."""
    unknown = [name for name in keys if f"unknown key {name!r}" in line]
    near = [n for name in unknown for n in get_close_matches(name, _keys_of_sweepers(), n=1)]
    return f" Or, of the sweep: {near[0]!r}?" if near else ""


def _keys_of_sweepers() -> set[str]:
    """Keys of ours that need no ``hydra.sweeper`` before them, since no run has any like them."""
    from cnnsweep.config.own_keys import GROUPS, own_leaves
    from cnnsweep.config.sweeper_keys import keys_of

    of_runs = {*GROUPS, *(key.split(".")[0] for key in own_leaves())}
    return {*keys_of("optuna"), *keys_of("grid")} - {"sampler", "pruner"} - of_runs


def _leaves(key: str, value: Any, is_sweep: bool) -> Iterator[tuple[str, Any]]:
    """``optim={"lr": 0.1}`` is optim.lr=0.1."""
    is_value = key.startswith(_HYDRA) and key.count(".") >= _LEAF_OF_HYDRA
    is_value = is_value or (is_sweep and _is_conditional(value))
    if isinstance(value, dict) and value and not is_value:
        for name, inner in value.items():
            yield from _leaves(f"{key}.{name}", inner, is_sweep)
    else:
        yield key, value


def _is_conditional(value: Any) -> bool:
    """Whether it is a parameter of a search that only some trials have: its space, and when."""
    return isinstance(value, dict) and value.keys() == {SPACE, WHEN}


def _plain(key: str, value: Any) -> Any:
    """A value as plain ones, those of NumPy and OmegaConf included."""
    source = type(value).__module__.partition(".")[0]
    if source == "numpy" and hasattr(value, "tolist"):
        return _plain(key, value.tolist())
    if source == "omegaconf":
        from omegaconf import OmegaConf

        return _plain(key, OmegaConf.to_container(value, resolve=True))
    if isinstance(value, Enum):
        return _plain(key, value.value)
    if isinstance(value, Mapping):
        return {str(name): _plain(f"{key}.{name}", inner) for name, inner in value.items()}
    if isinstance(value, list | tuple | range):
        return [_plain(key, inner) for inner in value]
    if isinstance(value, float) and not math.isfinite(value):
        raise UserError(f"{key}={value}: allowed are finite numbers")
    if value is None or isinstance(value, str | bool | int | float | Path):
        return value
    raise UserError(f"{key}={value!r}: allowed are {_ALLOWED}, not {type(value).__name__}")


def _written(key: str, value: Any, is_sweep: bool) -> str:
    if not is_sweep:
        return _one(key, value)
    override = _parsed(f"{key}={value}") if isinstance(value, str) else None
    if override is not None and override.is_sweep_override():
        raise UserError(
            f"{key}={value!r}: by name a text is one value; several are a list, as in "
            f"{key.rpartition('.')[2]}=[1, 2], and all else goes as a word, {f'{key}={value}'!r}"
        )
    if not isinstance(value, list) or key.startswith(_HYDRA):
        return _one(key, value)
    if key in _LISTS and not all(isinstance(one, list) for one in value):
        return _one(key, value)
    if not value:
        raise UserError(f"{key}=[]: a sweep needs a value to try; allowed is a list of one or more")
    return ",".join(_one(key, one) for one in value)


def _conditional_word(key: str, value: Any) -> str | None:
    """The word of a conditional parameter, given as a mapping or as text; None of anything else."""
    from cnnsweep.config.composing.typed_conditions import condition_word, with_condition

    if key.startswith(_HYDRA):
        return None
    if not _is_conditional(value):
        word = f"{key}={value}"
        return word if isinstance(value, str) and with_condition(word) != word else None
    space = value[SPACE]
    if isinstance(space, list):
        space = f"choice({', '.join(_one(key, one) for one in space)})"
    return condition_word(key, space, _texts(value[WHEN]))


def _parsed(word: str) -> "Override | None":
    """A word as Hydra reads it; None where it cannot."""
    from hydra.core.override_parser.overrides_parser import OverridesParser
    from hydra.errors import HydraException

    try:
        return OverridesParser.create().parse_override(word)
    except HydraException:
        return None


def _one(key: str, value: Any) -> str:
    """One value; text without quotes where Hydra reads it as that text."""
    from cnnsweep.config.overrides import as_text

    if isinstance(value, list | dict):
        return as_text(_texts(value))
    text = str(value) if isinstance(value, Path) else value
    return text if isinstance(text, str) and _is_read(key, text) else as_text(text)


def _texts(value: Any) -> Any:
    """The same with text for paths."""
    if isinstance(value, dict):
        return {name: _texts(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_texts(inner) for inner in value]
    return str(value) if isinstance(value, Path) else value


def _is_read(key: str, text: str) -> bool:
    """Whether Hydra reads a text that stands without quotes as that text."""
    override = _parsed(f"{key}={text}")
    if override is None or text == "" or override.is_sweep_override() or "$" in text:
        return False
    return type(override.value()) is str and override.value() == text
