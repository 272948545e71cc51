"""Combinations of values that are tried before a sweep, and keys set as Hydra sets them."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import islice, product
from math import prod
from typing import TypeVar

from hydra.core.config_loader import ConfigLoader
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from omegaconf import DictConfig, OmegaConf

from cnnsweep.dotted_keys import is_below

MOST_COMBINATIONS = 256
Value = TypeVar("Value")


def combinations(values: Mapping[str, Sequence[Value]]) -> Iterator[dict[str, Value]]:
    """Every combination of the keys' values, or the first 256, then :func:`one_by_one`."""
    found = product(*values.values())
    yield from (dict(zip(values, one, strict=True)) for one in islice(found, MOST_COMBINATIONS))
    if next(found, None) is not None:
        yield from one_by_one(values)


def few_combinations(values: Mapping[str, Sequence[Value]]) -> Iterator[dict[str, Value]]:
    """Every combination where there are 256 at most, else :func:`one_by_one` alone."""
    is_few = prod(map(len, values.values())) <= MOST_COMBINATIONS
    yield from combinations(values) if is_few else one_by_one(values)


def one_by_one(values: Mapping[str, Sequence[Value]]) -> Iterator[dict[str, Value]]:
    """Each value once beside the first of all others."""
    first = {key: listed[0] for key, listed in values.items()}
    yield first
    for key, listed in values.items():
        yield from (first | {key: value} for value in listed[1:])


def plain_keys(names: Iterable[str], config: DictConfig, loader: ConfigLoader) -> set[str]:
    """Those names of overrides that set a key, rather than choose an option of a group or delete.

    Where one lies below another, what they set depends on their order, and neither is among them.
    """
    keys = {name: name.lstrip("+~").partition("=")[0] for name in names}
    keys = {name: key for name, key in keys.items() if not is_group(key, config, loader)}

    def overlaps(name: str) -> bool:
        others = [key for other, key in keys.items() if other != name]
        return any(is_below(keys[name], [one]) or is_below(one, [keys[name]]) for one in others)

    return {
        name
        for name, key in keys.items()
        if name.lstrip("+") == key and "[" not in key and not overlaps(name)
    }


def is_group(key: str, config: DictConfig, loader: ConfigLoader) -> bool:
    """Whether an override of that name chooses an option of a group."""
    if "/" in key or "@" in key or key in config.hydra.runtime.choices:
        return True
    return bool(loader.get_group_options(key, results_filter=None))


@lru_cache(maxsize=4096)
def parsed(word: str) -> Override:
    """An override as Hydra reads it."""
    return OverridesParser.create().parse_override(word)


def set_key(config: DictConfig, word: str) -> None:
    """Set a plain key of a composed config, in place, as Hydra's command line does.

    What ``+`` adds may be there already, from this function.

    Raises:
        omegaconf.errors.OmegaConfBaseException: the config lacks the key, or it takes another type.
    """
    override = parsed(word)
    adds = override.is_add() or override.is_force_add()
    OmegaConf.update(config, override.key_or_group, override.value(), merge=True, force_add=adds)
