"""Keys that only an option has that is swept over: Hydra composes a sweep's own config without it.

For that one composition the words are written so that Hydra takes any key. What they set is looked
at when the jobs are composed, from the words as they were typed.
"""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import OverrideType
from hydra.errors import HydraException
from omegaconf import DictConfig, open_dict, read_write

from cnnsweep.config import CONF_DIR
from cnnsweep.config.composing.typed_conditions import with_condition
from cnnsweep.config.hydra_internals import command_line_parser
from cnnsweep.config.overrides import task_lines
from cnnsweep.config.own_keys import own_leaves

_typed: dict[str, str] = {}  # by what was written instead


def words_of_sweep(words: Sequence[str]) -> list[str]:
    """The words of a command, with any plain ``key=value`` as ``++key=value`` in a sweep's.

    They come with the options first.
    """
    _typed.clear()
    options, _ = command_line_parser().parse_known_args(list(words))
    overrides = list(options.overrides)
    if not (options.multirun or "hydra.mode=MULTIRUN" in overrides):
        return list(words)
    places = [place for place in (options.config_dir, options.config_path) if place is not None]
    folders = [CONF_DIR, *map(Path, places)]
    is_known = not any("hydra.searchpath" in word for word in overrides)

    def may_be_group(key: str) -> bool:
        return not is_known or any((folder / key).is_dir() for folder in folders)

    before = list(words)[: len(words) - len(overrides)]
    return [*before, *with_late_keys(map(with_condition, overrides), may_be_group)]


def with_late_keys(words: Iterable[str], may_be_group: Callable[[str], bool]) -> list[str]:
    """The same for the overrides of a sweep alone."""
    overrides = list(words)
    found = []
    for word in overrides:
        written = f"++{word}"
        if written not in overrides and _may_be_late(word, may_be_group):
            _typed[written] = word
            found.append(written)
        else:
            found.append(word)
    return found


def as_typed_words(words: Iterable[str]) -> list[str]:
    """Words as they were before."""
    return [_typed.get(word, word) for word in words]


def restore_typed(config: DictConfig) -> None:
    """Put the words as they were typed among the overrides of a sweep's composed config."""
    with read_write(config.hydra), open_dict(config.hydra):
        config.hydra.overrides.task = as_typed_words(task_lines(config.hydra))


def _may_be_late(word: str, may_be_group: Callable[[str], bool]) -> bool:
    key, equals, _ = word.partition("=")
    if not equals or "/" in key or key in own_leaves():
        return False
    try:
        (override,) = OverridesParser.create().parse_overrides([word])
    except HydraException:
        return False  # Hydra says why
    is_change = override.type is OverrideType.CHANGE and override.package is None
    if not is_change or override.is_sweep_override() or override.is_hydra_override():
        return False
    return "." in key or not may_be_group(key)
